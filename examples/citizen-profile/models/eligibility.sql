-- Which benefits each citizen may have, as of the day, and until when that holds.
select
  attributes.citizen_id,
  attributes.region,
  benefits.benefit,
  cast('{{ var("day") }}' as date) as decided_on,
  cast('{{ var("day") }}' as date) + cast(benefits.valid_days as int) as expires_on
from {{ ref('attributes') }} as attributes
cross join {{ source('rules', 'benefits') }} as benefits
where attributes.age between benefits.least_age and benefits.greatest_age
  and attributes.income <= benefits.greatest_income
