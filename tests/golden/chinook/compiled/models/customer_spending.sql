-- What each customer spent, one row per customer.
select
  customer.CustomerId,
  customer.Country,
  count(*) as Invoices,
  sum(invoice.Total) as Spent,
  min(invoice.InvoiceDate) as FirstInvoice,
  max(invoice.InvoiceDate) as LastInvoice
from "chinook"."Customer" as customer
join "chinook"."Invoice" as invoice
  on invoice.CustomerId = customer.CustomerId
group by customer.CustomerId, customer.Country
