"""Writes phone_plans.tsv from the metadata of Google's libphonenumber (Apache-2.0), as the Python
package phonenumbers carries it:  pip install phonenumbers==9.0.43; python phone_plans.py > phone_plans.tsv
"""

import re

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

OTHERS = "toll_free premium_rate shared_cost personal_number voip pager uan voicemail".split()


def pattern(description):
    return (description and description.national_number_pattern) or ""


def span(text):
    """Fewest and most digits that \\d, [..] and digits with their quantifiers match."""
    least = most = 0
    for quantifier in re.findall(r"(?:\\d|\[[^\]]*\]|\d)(?:\{([\d,]+)\})?", text):
        ends = (quantifier or "1").split(",")
        least, most = least + int(ends[0]), most + int(ends[-1])
    return least, most


def area(number_format):
    """`leading digits~digits of the first group~fewest and most digits of the others`."""
    groups = re.findall(r"\(([^()]*)\)", number_format.pattern)
    if len(groups) < 2 or span(groups[0])[0] != span(groups[0])[1]:
        return None
    others = [span(group) for group in groups[1:]]
    ends = sum(least for least, _ in others), sum(most for _, most in others)
    leading = (number_format.leading_digits_pattern or [""])[-1]
    return f"{leading}~{span(groups[0])[0]}~{ends[0]}~{ends[1]}"


print(f"# From libphonenumber's metadata (Google, Apache-2.0), phonenumbers {phonenumbers.__version__}; see phone_plans.py.")
print("# region, country code, national prefix, fixed line, mobile (= as before), others, areas")
regions = [PhoneMetadata.metadata_for_region(region) for region in sorted(phonenumbers.SUPPORTED_REGIONS)]
for plan in sorted(regions, key=lambda plan: (plan.country_code, not plan.main_country_for_code)):
    fixed, mobile = pattern(plan.fixed_line), pattern(plan.mobile)
    others = "|".join(filter(None, (pattern(getattr(plan, kind)) for kind in OTHERS)))
    areas = " ".join(filter(None, map(area, plan.number_format)))
    prefix = plan.national_prefix or ""
    print(plan.id, plan.country_code, prefix, fixed, "=" if mobile == fixed else mobile, others, areas, sep="\t")
