"""Makes the synthetic data of this example: the same bytes each time. Nobody in it exists.

    python3 data/make.py
"""

import csv
import datetime
import pathlib
import random

REGIONS = ["east", "north", "south", "west"]
GIVEN = ["Ada", "Bo", "Cleo", "Dag", "Eva", "Finn", "Gus", "Hana", "Ida", "Jon", "Kai", "Lea", "Mio", "Noa"]
FAMILY = ["Arden", "Brook", "Cole", "Dale", "Ember", "Frost", "Grove", "Hale", "Isle", "Jarvis", "Knox"]
WORK = ["employed", "self_employed", "unemployed", "student", "retired"]
CITIZENS = 400
COLUMNS = ["citizen_id", "region", "name", "email", "birth_date", "income", "household", "work", "missed_payments"]


def citizen(dice, number):
    born = datetime.date(1935, 1, 1) + datetime.timedelta(days=dice.randrange(85 * 365))
    age = 2026 - born.year
    work = "student" if age < 20 else "retired" if age > 67 else dice.choice(WORK[:3] + ["employed"] * 5)
    income = {"student": 4_000, "retired": 21_000, "unemployed": 11_000}.get(work, 24_000 + dice.randrange(70_000))
    given, family = dice.choice(GIVEN), dice.choice(FAMILY)
    return {
        "citizen_id": number,
        "region": REGIONS[number % len(REGIONS)],
        "name": f"{given} {family}",
        "email": f"{given}.{family}.{number}@example.org".lower(),
        "birth_date": born.isoformat(),
        "income": income + dice.randrange(3_000),
        "household": 1 + min(dice.randrange(5), dice.randrange(6)),
        "work": work,
        "missed_payments": max(0, dice.randrange(9) - 5),
    }


def next_month(dice, citizens):
    """Some change, some move away, some come."""
    for row in citizens:
        if dice.randrange(12) == 0:
            row["income"] = max(3_000, row["income"] + dice.randrange(-9_000, 12_000))
        if dice.randrange(20) == 0:
            row["missed_payments"] += 1
        if dice.randrange(40) == 0 and row["work"] == "employed":
            row["work"] = "unemployed"
    citizens = [row for row in citizens if dice.randrange(60) != 0]
    first = max(row["citizen_id"] for row in citizens) + 1
    return citizens + [citizen(dice, number) for number in range(first, first + 9)]


def write(month, citizens):
    folder = pathlib.Path(__file__).parent / month / "citizens"
    folder.mkdir(parents=True, exist_ok=True)
    for region in REGIONS:
        with open(folder / f"{region}.csv", "w", newline="") as file:
            rows = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            rows.writeheader()
            rows.writerows(row for row in citizens if row["region"] == region)


def main():
    dice = random.Random(2026)
    citizens = [citizen(dice, number) for number in range(1, CITIZENS + 1)]
    write("2026-01", citizens)
    write("2026-02", next_month(dice, citizens))


main()
