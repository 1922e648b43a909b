SELECT
  customer.CustomerId,
  customer.Country,
  count(*) AS Invoices,
  sum(invoice.Total) AS Spent,
  min(invoice.InvoiceDate) AS FirstInvoice,
  max(invoice.InvoiceDate) AS LastInvoice
FROM
  "chinook"."Customer" AS customer
  JOIN "chinook"."Invoice" AS invoice ON invoice.CustomerId = customer.CustomerId
GROUP BY
  customer.CustomerId, customer.Country
