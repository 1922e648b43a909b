"""Writes phone_numbers.tsv: numbers of all regions, and what libphonenumber (by the Python package
phonenumbers) says of them:  pip install phonenumbers==9.0.43; python phone_numbers.py > phone_numbers.tsv
"""

import random

import phonenumbers

random.seed(1)
print(f"# E.164 digits, and the region in which phonenumbers {phonenumbers.__version__} calls them valid; see phone_numbers.py.")
numbers = set()
for region in sorted(phonenumbers.SUPPORTED_REGIONS):
    for kind in phonenumbers.PhoneNumberType.values():
        example = phonenumbers.example_number_for_type(region, kind)
        if example:
            digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[1:]
            numbers.add(digits)
            code = str(example.country_code)
            changed = list(digits[len(code):])
            for _ in range(3):
                changed[random.randrange(len(changed))] = random.choice("0123456789")
                numbers.add(code + "".join(changed))
for digits in sorted(random.sample(sorted(numbers), 2500)):
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        continue
    # Without what parsing makes of it: a trunk prefix taken away, a leading zero added.
    if phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != "+" + digits:
        continue
    region = phonenumbers.region_code_for_number(number) if phonenumbers.is_valid_number(number) else ""
    if region != "001":
        print(digits, region, sep="\t")
