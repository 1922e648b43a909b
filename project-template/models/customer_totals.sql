-- What each customer ordered, one row per customer.
select
  customer_id,
  count(*) as orders,
  sum(amount) as amount,
  max(ordered_at) as last_order_at
from {{ source('shop', 'orders') }}
where status <> 'returned'
group by customer_id
