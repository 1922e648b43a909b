SELECT
  mask_token("CustomerId", '{"rule":"customer_ids","linkage":"customer","key":"default@1"}') AS "CustomerId",  -- masked by rule customer_ids
  mask_first_name("FirstName", '{"rule":"first_names","linkage":"chinook.Customer.FirstName","key":"default@1"}') AS "FirstName",  -- masked by rule first_names
  mask_last_name("LastName", '{"rule":"last_names","linkage":"chinook.Customer.LastName","key":"default@1"}') AS "LastName",  -- masked by rule last_names
  mask_company("Company", '{"rule":"employers","linkage":"chinook.Customer.Company","key":"default@1"}') AS "Company",  -- masked by rule employers
  mask_street("Address", '{"rule":"streets","linkage":"chinook.Customer.Address","key":"default@1"}') AS "Address",  -- masked by rule streets
  mask_city("City", '{"rule":"cities","linkage":"chinook.Customer.City","key":"default@1"}') AS "City",  -- masked by rule cities
  mask_null("State", '{"rule":"regions"}') AS "State",  -- masked by rule regions
  "Country",  -- kept by rule countries, @data-office: sales are reported per country
  mask_truncate("PostalCode", '{"rule":"postal_codes","params":{"keep":2}}') AS "PostalCode",  -- masked by rule postal_codes
  mask_phone("Phone", '{"rule":"phones","linkage":"chinook.Customer.Phone","key":"default@1"}') AS "Phone",  -- masked by rule phones
  mask_phone("Fax", '{"rule":"phones","linkage":"chinook.Customer.Fax","key":"default@1"}') AS "Fax",  -- masked by rule phones
  mask_email("Email", '{"rule":"emails","linkage":"chinook.Customer.Email","key":"default@1"}') AS "Email",  -- masked by rule emails
  mask_token("SupportRepId", '{"rule":"employee_ids","linkage":"employee","key":"default@1"}') AS "SupportRepId"  -- masked by rule employee_ids
FROM "chinook"."Customer"
