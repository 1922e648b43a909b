SELECT
  Country,
  count(*) AS customers,
  sum(Total) AS spent
FROM
  (
    SELECT
      CustomerId AS Customer,
      Country
    FROM
      "chinook"."Customer"
  ) c
  JOIN "chinook"."Invoice" i ON i.CustomerId = c.Customer
GROUP BY
  Country
HAVING
  (sum(Total) > 1) AND count(DISTINCT "CustomerId") >= 4 ORDER BY Country
