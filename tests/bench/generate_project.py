"""Writes an invented project: many tables of 20 columns with classes, references, tests and models.

Equal arguments give equal files: everything follows from the numbers of tables and exports. Types are
declared and there is no data, so that a plan opens nothing.

Ten tables are a domain, with a file for its source, one for its models and one for its exports: one table
of people, and orders and events that refer to it. Of ten exports nine publish tables, one a model.
"""

DOMAIN = 10

PROFILES = """\
default: bench

targets:
  bench:
    store: file://target/store
    keys: {provider: passphrase, env: BENCH_PASSPHRASE}
    connections:
      lake: {type: csv, url: data}
"""

POLICIES = """\
classes:
  id: {sensitive: true}
  pii: {sensitive: true}
  quasi: {sensitive: true}
  free_text: {sensitive: true}
  public: {sensitive: false}

masking:
  rules:
    - {name: people, match: {class: id.person}, mask: token, linkage: person}
    - {name: ids, match: {class: id}, mask: token}
    - {name: first_names, match: {class: pii.first_name}, mask: first_name}
    - {name: last_names, match: {class: pii.last_name}, mask: last_name}
    - {name: emails, match: {class: pii.email}, mask: email}
    - {name: phones, match: {class: pii.phone}, mask: phone}
    - {name: streets, match: {class: pii.street}, mask: street}
    - {name: cities, match: {class: pii.city}, mask: city}
    - {name: accounts, match: {class: pii.account}, mask: partial, params: {keep_last: 4}}
    - {name: postal_codes, match: {class: quasi.postal_code}, mask: truncate, params: {keep: 2}}
    - {name: dates, match: {class: quasi.date}, mask: date_shift, linkage: person, params: {days: 30, per: person_id}}
    - {name: amounts, match: {class: quasi.amount}, mask: bucket, params: {width: 50}}
    - {name: free_texts, match: {class: free_text}, mask: redact}
    - {name: public, match: {class: public}, keep: {owner: "@bench", reason: names nobody}}
"""

PERSON = """\
person_id int64 id.person not_null,unique
first_name string pii.first_name
last_name string pii.last_name
email string pii.email unique
phone string pii.phone
street string pii.street
city string pii.city
postal_code string quasi.postal_code
country string public accepted_values
birth_date date quasi.date
account string pii.account
joined_at timestamp quasi.date
seen_at timestamp quasi.date
balance decimal(12,2) quasi.amount
segment string public
language string public
newsletter bool public
visits int32 public range
score float64 public
note string free_text
"""

ORDER = """\
record_id int64 id.record not_null,unique
person_id int64 id.person not_null
ordered_at timestamp quasi.date
shipped_at timestamp quasi.date
email string pii.email
phone string pii.phone
street string pii.street
city string pii.city
postal_code string quasi.postal_code
country string public accepted_values
amount decimal(12,2) quasi.amount
tax decimal(12,2) quasi.amount
currency string public
quantity int32 public range
status string public
channel string public
warehouse string public
gift bool public
account string pii.account
comment string free_text
"""

EVENT = """\
record_id int64 id.record not_null,unique
person_id int64 id.person not_null
happened_on date quasi.date
received_at timestamp quasi.date
kind string public
channel string public
device string public
browser string public
version string public
country string public accepted_values
city string pii.city
sender string pii.email
caller string pii.phone
cost decimal(12,2) quasi.amount
seconds int32 public range
pages int32 public
ratio float64 public
failed bool public
reference string id.ticket
message string free_text
"""

TESTS = {
    "not_null": "not_null",
    "unique": "unique",
    "accepted_values": "{accepted_values: {values: [DE, ES, FR, GB, IT, NL, PL, US]}}",
    "range": "{range: {min: 0, max: 100000}}",
}

TOTALS = """\
-- What each person ordered, one row per person.
select
  people.person_id,
  people.country,
  count(*) as orders,
  sum(case when orders.status = 'returned' then 0 else orders.quantity end) as pieces,
  sum(orders.amount) as spent,
  max(orders.ordered_at) as last_ordered_at
from {{{{ source('{source}', '{people}') }}}} as people
join {{{{ source('{source}', '{orders}') }}}} as orders on orders.person_id = people.person_id
where orders.status <> 'cancelled'
group by people.person_id, people.country
"""
TOTALS_COLUMNS = """\
person_id id.person
country public
orders public
pieces public
spent quasi.amount
last_ordered_at quasi.date
"""

CONTACTS = """\
-- Every order with whom to write to and what was last heard of them.
with latest as (
  select person_id, max(received_at) as heard_at, count(*) as contacts
  from {{{{ source('{source}', '{events}') }}}}
  where not failed
  group by person_id
)
select
  orders.record_id,
  orders.person_id,
  coalesce(orders.email, people.email) as email,
  upper(people.last_name) as last_name,
  orders.amount + orders.tax as total,
  latest.heard_at,
  coalesce(latest.contacts, 0) as contacts,
  case when orders.quantity > 10 then 'large' else 'small' end as size
from {{{{ source('{source}', '{orders}') }}}} as orders
join {{{{ source('{source}', '{people}') }}}} as people on people.person_id = orders.person_id
left join latest on latest.person_id = orders.person_id
"""
CONTACTS_COLUMNS = """\
record_id id.record
person_id id.person
email pii.email
last_name pii.last_name
total quasi.amount
heard_at quasi.date declassify
contacts public declassify
size public
"""

RANKED = """\
-- People by what they spent in their country, over another model.
select
  person_id,
  country,
  orders,
  spent,
  row_number() over (partition by country order by orders desc, person_id) as place
from {{{{ ref('{below}') }}}}
where orders > 1
"""
RANKED_COLUMNS = """\
person_id id.person
country public
orders public
spent quasi.amount
place public declassify
"""


def table_name(number):
    """The name of a table of its domain: the first holds people, then orders and events in turn."""
    place = number % DOMAIN
    kind = "people" if place == 0 else "orders" if place % 2 else "events"
    return f"{kind}_{number:05}"


def source_name(number):
    """The source that a table is in."""
    return f"domain_{number // DOMAIN:04}"


def column(line):
    """A column of a table in YAML."""
    name, kind, group, tests = [*line.split(), ""][:4]
    tests = [TESTS[test] for test in tests.split(",") if test]
    tested = f", tests: [{', '.join(tests)}]" if tests else ""
    return f'          - {{name: {name}, type: "{kind}", class: {group}{tested}}}'


def source(numbers):
    """The file of a domain's tables."""
    lines = ["sources:", f"  - name: {source_name(numbers[0])}", "    connection: lake", "    tables:"]
    for number in numbers:
        name = table_name(number)
        kind, key = {
            "p": (PERSON, "person_id"), "o": (ORDER, "record_id"), "e": (EVENT, "record_id")
        }[name[0]]
        lines += [f"      - name: {name}", f"        key: [{key}]", "        columns:"]
        lines += [column(line) for line in kind.splitlines()]
        if kind is not PERSON:
            people = table_name(numbers[0])
            lines += [
                "        references:",
                f"          - {{columns: [person_id], table: {people}, to: [person_id]}}",
            ]
    return lines


def model(number, first):
    """Names, SQL and columns of the models that one export needs; the export's comes last."""
    names = {
        "source": source_name(first),
        "people": table_name(first),
        "orders": table_name(first + 1),
        "events": table_name(first + 2),
    }
    totals = (f"totals_{number:05}", TOTALS.format(**names), TOTALS_COLUMNS)
    if number % 3 == 0:
        return [totals]
    if number % 3 == 1:
        return [(f"contacts_{number:05}", CONTACTS.format(**names), CONTACTS_COLUMNS)]
    return [totals, (f"ranked_{number:05}", RANKED.format(below=totals[0]), RANKED_COLUMNS)]


def described(name, columns):
    """A model's entry in YAML."""
    lines = [f"  - name: {name}", "    columns:"]
    for line in columns.splitlines():
        column_name, group, more = [*line.split(), ""][:3]
        tests = ", tests: [not_null, unique]" if line == columns.splitlines()[0] else ""
        # Shows which rows had a partner, or in which order they came.
        more = ', declassify: {owner: "@bench", reason: tells nobody apart}' if more else ""
        lines.append(f"      - {{name: {column_name}, class: {group}{tests}{more}}}")
    return lines


def export(number, table):
    """An export of a table in YAML; some have a filter, some fewer columns."""
    name = table_name(table)
    lines = [f"  - name: {name}", f"    from: source('{source_name(table)}', '{name}')"]
    if number % 10 == 3:
        lines.append("    where: country <> 'US'")
    if number % 10 == 7:
        names = {"p": PERSON, "o": ORDER, "e": EVENT}[name[0]].splitlines()
        columns = ", ".join(line.split()[0] for line in names[:12])
        lines.append(f"    columns: [{columns}]")
    if number % 20 == 5:
        lines.append("    tests: [{k_anonymity: {columns: [country], k: 5}}]")
    return lines


def write(folder, exports, tables):
    """Writes the project; gives how many files it has. Domains are whole: `tables` is a multiple of ten,
    and no fewer than `exports`."""
    files = {"engine.yml": "name: bench\nedition: 2026\n", "profiles.yml": PROFILES}
    files["policies/masking.yml"] = POLICIES
    domains = [list(range(start, start + DOMAIN)) for start in range(0, tables, DOMAIN)]
    for numbers in domains:
        files[f"sources/{source_name(numbers[0])}.yml"] = lines_of(source(numbers))
    for start in range(0, exports, DOMAIN):
        # Exports are spread over the domains, however many there are.
        numbers = domains[start // DOMAIN * len(domains) // -(-exports // DOMAIN)]
        listed, models = ["exports:"], ["models:"]
        for place in range(min(DOMAIN, exports - start)):
            if place < DOMAIN - 1:
                listed += export(start + place, numbers[place])
                continue
            made = model(start // DOMAIN, numbers[0])
            for name, sql, columns in made:
                files[f"models/{name}.sql"] = sql
                models += described(name, columns)
            name = made[-1][0]
            listed += [f"  - name: {name}", f"    from: ref('{name}')"]
        domain = source_name(numbers[0])
        files[f"exports/{domain}.yml"] = lines_of(listed)
        if len(models) > 1:
            files[f"models/{domain}.yml"] = lines_of(models)
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return len(files)


def lines_of(lines):
    """Lines as a text."""
    return "\n".join(lines) + "\n"
