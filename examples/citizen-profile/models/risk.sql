-- How likely help is needed: 0 to 100 in steps of ten, from payments missed, income and work.
select
  citizen_id,
  region,
  age_group,
  income_bracket,
  life_stage,
  10 * (least(100, 15 * missed_payments
    + case income_bracket when 'low' then 30 when 'medium' then 10 else 0 end
    + case when work = 'unemployed' then 25 else 0 end) / 10) as risk_score
from {{ ref('attributes') }}
