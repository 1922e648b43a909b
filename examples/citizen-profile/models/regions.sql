-- Each region by age group: groups that are too small are left out by the engine.
select
  region,
  age_group,
  count(*) as citizens,
  avg(risk_score) as mean_risk
from {{ ref('risk') }}
group by region, age_group
