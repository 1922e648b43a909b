//! `user_agent`: a plausible user agent of the same family of browsers and kind of device.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::params;
use crate::error::{BindError, MaskError};
use crate::forms::{is_text, map_text_keyed, over_values};
use crate::function::{BindContext, Doc, Example, Function, Mask};
use crate::key::{Draw, LinkageKey};
use crate::lanes::Lanes;
use crate::properties::{Preserves, Properties, Uniqueness};

/// A plausible user agent.
pub(super) struct UserAgent;

/// Parameters of `user_agent`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Keeps the family of the browser: Chrome, Edge, Firefox, Opera, Safari, or a robot.
    #[serde(default = "yes")]
    keep_family: bool,
    /// Keeps the system it runs on: Windows, macOS, Linux, Android or iOS.
    #[serde(default = "yes")]
    keep_platform: bool,
}

fn yes() -> bool {
    true
}

impl Function for UserAgent {
    fn name(&self) -> &'static str {
        "user_agent"
    }

    fn doc(&self) -> Doc {
        let example = |params, output| Example {
            params,
            input_type: DataType::Utf8,
            input: &[
                "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/49.0.2623.112 Safari/537.36",
                "Mozilla/5.0 (iPhone; CPU iPhone OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1",
            ],
            others: &[],
            output,
        };
        Doc {
            summary: "Every text becomes a plausible user agent, of the same family of browsers and \
                      the same system.",
            privacy: "The family of the browser and the system remain, unless they are not kept. Rare \
                      versions and devices, which tell people apart, are gone.",
            nulls: "Null stays null, empty stays empty. What is no user agent becomes one of Chrome \
                    on Windows, the most frequent.",
            examples: vec![
                example(
                    "{}",
                    &[
                        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Safari/537.36",
                        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.3 Mobile/15E148 Safari/604.1",
                    ],
                ),
                example(
                    r#"{"keep_family": false, "keep_platform": false}"#,
                    &[
                        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) EdgiOS/121.0.0.0 Mobile/15E148 Safari/604.1",
                        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) EdgiOS/129.0.0.0 Mobile/15E148 Safari/604.1",
                    ],
                ),
            ],
        }
    }

    fn params_schema(&self) -> schemars::Schema {
        params::schema::<Params>()
    }

    fn keyed(&self) -> bool {
        true
    }

    fn accepts(&self, input: &DataType) -> bool {
        is_text(input)
    }

    fn bind(&self, params: &Value, context: &BindContext<'_>) -> Result<Box<dyn Mask>, BindError> {
        let Params { keep_family, keep_platform } = params::parse(self, params, context)?;
        let key = params::key(self, context)?;
        Ok(Box::new(Bound { input: context.input.clone(), key, keep_family, keep_platform }))
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Family {
    Chrome,
    Edge,
    Firefox,
    Opera,
    Safari,
    Robot,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Platform {
    Windows,
    Mac,
    Linux,
    Android,
    Ios,
}

/// Families as users meet them; a robot is none.
const FAMILIES: &[Family] =
    &[Family::Chrome, Family::Edge, Family::Firefox, Family::Opera, Family::Safari];
const PLATFORMS: &[Platform] =
    &[Platform::Windows, Platform::Mac, Platform::Linux, Platform::Android, Platform::Ios];

/// Names that only one family writes, and that stand before those that others write too.
const FAMILY_NAMES: &[(&str, Family)] = &[
    ("bot", Family::Robot),
    ("crawl", Family::Robot),
    ("spider", Family::Robot),
    ("curl/", Family::Robot),
    ("wget/", Family::Robot),
    ("python", Family::Robot),
    ("edg", Family::Edge),
    ("opr/", Family::Opera),
    ("opera", Family::Opera),
    ("opt/", Family::Opera),
    ("firefox/", Family::Firefox),
    ("fxios/", Family::Firefox),
    ("chrome/", Family::Chrome),
    ("crios/", Family::Chrome),
    ("chromium/", Family::Chrome),
    ("safari/", Family::Safari),
];

/// The same of systems: that of an iPhone is "like Mac OS X", and Android is a Linux.
const PLATFORM_NAMES: &[(&str, Platform)] = &[
    ("iphone", Platform::Ios),
    ("ipad", Platform::Ios),
    ("ipod", Platform::Ios),
    ("android", Platform::Android),
    ("windows", Platform::Windows),
    ("mac os", Platform::Mac),
    ("macintosh", Platform::Mac),
    ("linux", Platform::Linux),
    ("x11", Platform::Linux),
    ("cros", Platform::Linux),
];

/// Family and system of a user agent; those of the most frequent ones where it does not say.
fn read(value: &str) -> (Family, Platform) {
    let value = value.to_ascii_lowercase();
    let family = FAMILY_NAMES.iter().find(|(name, _)| value.contains(name));
    let platform = PLATFORM_NAMES.iter().find(|(name, _)| value.contains(name));
    (
        family.map_or(Family::Chrome, |(_, family)| *family),
        platform.map_or(Platform::Windows, |(_, platform)| *platform),
    )
}

struct Bound {
    input: DataType,
    key: LinkageKey,
    keep_family: bool,
    keep_platform: bool,
}

impl Bound {
    fn write(&self, value: &str, mut draw: Draw<'_>, out: &mut Vec<u8>) {
        let (mut family, mut platform) = read(value);
        if !self.keep_family {
            family = pick(FAMILIES, &mut draw).unwrap_or(family);
        }
        if !self.keep_platform {
            platform = pick(PLATFORMS, &mut draw).unwrap_or(platform);
        }
        let start = out.len();
        write(family, platform, draw.below(VERSIONS), out);
        if out.get(start..) == Some(value.as_bytes()) {
            out.truncate(start);
            write(family, platform, VERSIONS, out);
        }
    }
}

fn pick<T: Copy>(all: &[T], draw: &mut Draw<'_>) -> Option<T> {
    all.get(draw.below(all.len() as u64) as usize).copied()
}

/// Versions of one browser that come out; one more stands in for a value that would come out as itself.
const VERSIONS: u64 = 12;

/// Writes the user agent of a version, in the form that the browser itself uses since it no longer tells
/// minor versions, devices and system versions (the "reduced" user agent).
fn write(family: Family, platform: Platform, version: u64, out: &mut Vec<u8>) {
    use std::fmt::Write as _;
    let chrome = 120 + version;
    let firefox = 115 + version;
    let safari = format!("{}.{}", 16 + version / 5, version % 5);
    let system = match platform {
        Platform::Windows => "Windows NT 10.0; Win64; x64",
        Platform::Mac => "Macintosh; Intel Mac OS X 10_15_7",
        Platform::Linux => "X11; Linux x86_64",
        Platform::Android => "Linux; Android 10; K",
        Platform::Ios => "iPhone; CPU iPhone OS 17_0 like Mac OS X",
    };
    let mobile = if platform == Platform::Android { " Mobile" } else { "" };
    let mut text = String::new();
    let blink = "AppleWebKit/537.36 (KHTML, like Gecko)";
    let webkit = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
    // On iOS every browser is a WebKit with another name.
    let name = match (family, platform) {
        (Family::Chrome, Platform::Ios) => format!("CriOS/{chrome}.0.0.0"),
        (Family::Edge, Platform::Ios) => format!("EdgiOS/{chrome}.0.0.0"),
        (Family::Opera, Platform::Ios) => format!("OPT/{}.0", version + 4),
        (Family::Firefox, Platform::Ios) => format!("FxiOS/{firefox}.0"),
        (Family::Edge, Platform::Android) => format!("EdgA/{chrome}.0.0.0"),
        (Family::Edge, _) => format!("Edg/{chrome}.0.0.0"),
        (Family::Opera, _) => format!("OPR/{}.0.0.0", version + 105),
        _ => format!("Version/{safari}"),
    };
    // Nothing is written to but a string.
    let _infallible = match (family, platform) {
        (Family::Robot, _) => write!(text, "Mozilla/5.0 (compatible; bot/{}.0)", version + 1),
        (Family::Firefox, Platform::Android) => {
            write!(
                text,
                "Mozilla/5.0 (Android 10; Mobile; rv:{firefox}.0) Gecko/{firefox}.0 Firefox/{firefox}.0"
            )
        }
        (_, Platform::Ios) => {
            write!(text, "Mozilla/5.0 ({system}) {webkit} {name} Mobile/15E148 Safari/604.1")
        }
        (Family::Firefox, _) => {
            write!(
                text,
                "Mozilla/5.0 ({system}; rv:{firefox}.0) Gecko/20100101 Firefox/{firefox}.0"
            )
        }
        (Family::Safari, _) => {
            write!(text, "Mozilla/5.0 ({system}) {webkit} {name} Safari/605.1.15")
        }
        (Family::Chrome, _) => {
            write!(
                text,
                "Mozilla/5.0 ({system}) {blink} Chrome/{chrome}.0.0.0{mobile} Safari/537.36"
            )
        }
        (Family::Edge | Family::Opera, _) => {
            write!(
                text,
                "Mozilla/5.0 ({system}) {blink} Chrome/{chrome}.0.0.0{mobile} Safari/537.36 {name}"
            )
        }
    };
    out.extend_from_slice(text.as_bytes());
}

impl Mask for Bound {
    fn output(&self) -> DataType {
        self.input.clone()
    }

    fn properties(&self) -> Properties {
        Properties {
            deterministic: true,
            reversible: false,
            uniqueness: Uniqueness::Lossy,
            preserves: Preserves { null: true, format: true, ..Preserves::default() },
            may_return_input: false,
        }
    }

    fn apply(&self, column: &ArrayRef, _others: &[ArrayRef]) -> Result<ArrayRef, MaskError> {
        over_values(&self.input, column, |values| {
            let hash = |value: &str, lanes: &mut Lanes<'_>| lanes.push(value.as_bytes());
            map_text_keyed(values, &self.key, hash, |value, (), draw, out| {
                self.write(value, draw, out);
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_as_what_it_is() {
        for family in FAMILIES {
            for platform in PLATFORMS {
                let mut out = Vec::new();
                write(*family, *platform, 3, &mut out);
                let text = String::from_utf8(out).unwrap();
                assert_eq!(read(&text), (*family, *platform), "{text}");
            }
        }
        assert_eq!(read("Googlebot/2.1 (+http://www.google.com/bot.html)").0, Family::Robot);
        assert_eq!(read("").0, Family::Chrome);
    }
}
