-- What is derived from each citizen's record, as of the day.
with aged as (
  select
    *,
    cast(date_part('year', cast('{{ var("day") }}' as date)) - date_part('year', birth_date)
      - case when to_char(cast('{{ var("day") }}' as date), '%m%d') < to_char(birth_date, '%m%d')
             then 1 else 0 end as bigint) as age
  from {{ source('register', 'citizens') }}
)
select
  citizen_id,
  region,
  email,
  age,
  case when age < 18 then 'under 18' when age < 30 then '18 to 29' when age < 45 then '30 to 44'
       when age < 65 then '45 to 64' else '65 and over' end as age_group,
  income,
  case when income < 12000 then 'low' when income < 30000 then 'medium' when income < 60000 then 'high'
       else 'highest' end as income_bracket,
  case when age < 18 then 'child' when work = 'student' then 'student' when work = 'retired' then 'retired'
       when household > 2 then 'family' else 'working age' end as life_stage,
  work,
  missed_payments
from aged
