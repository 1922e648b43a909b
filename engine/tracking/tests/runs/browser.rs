//! The page of a report in a browser: headless Chromium, without a network.
//!
//! Fonts differ between machines, and with them every letter. What is drawn does not: the charts, without
//! the rest of the page, are compared with a picture of before, square by square where there is colour;
//! letters are grey. Of whole pages, colours are counted.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::{
    picture::{Picture, SIDE},
    report::{colours, report},
};

const LIGHT: usize = 0;
const DARK: usize = 1;

/// Of the charts alone: two columns, three rows.
const WIDTH: usize = 1280;
const HEIGHT: usize = 936;
/// Of a chart's coloured squares, the part that may differ.
const TOLERANCE: f64 = 0.1;

/// What a browser made of a page, at so many points of width and height.
struct Shown {
    picture: Vec<u8>,
    /// What it wrote to its console, such as what a page's policy has kept it from.
    console: Vec<String>,
}

fn chromium(folder: &Path, arguments: &[&str]) -> std::process::Output {
    let url = format!("file://{}", folder.join("page.html").display());
    let done = Command::new("timeout")
        .args(["120", "chromium", "--headless", "--no-sandbox", "--disable-gpu"])
        .args(["--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"])
        .args(["--force-device-scale-factor=1", "--force-color-profile=srgb"])
        .args(["--disable-background-networking", "--disable-component-update"])
        .args(["--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(arguments)
        .arg(url)
        .stdin(Stdio::null())
        .output();
    let done = done.expect("Debian's package chromium, which tests/run installs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test writes and reads files of a folder of its own"
)]
fn shown(page: &str, mode: usize, width: usize, height: usize) -> Shown {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("page.html"), page).unwrap();
    let picture = folder.path().join("picture.png");
    let done = chromium(
        folder.path(),
        &[
            &format!("--blink-settings=preferredColorScheme={}", 1 - mode),
            &format!("--window-size={width},{height}"),
            &format!("--screenshot={}", picture.display()),
        ],
    );
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let console = said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned);
    Shown { picture: std::fs::read(picture).unwrap(), console: console.collect() }
}

/// The page with its charts alone.
fn charts(page: &str) -> String {
    let (head, body) = page.split_once("<body>").unwrap();
    let charts = &body[body.find("<div class=\"charts\">").unwrap()..];
    let charts = &charts[..charts.find("</section>").unwrap()];
    format!("{head}<body><main>{charts}</main></body></html>")
}

fn colour(page: &str, mode: usize, name: &str) -> [u8; 3] {
    let colour = &colours(page)[mode][name];
    [0, 2, 4].map(|at| u8::from_str_radix(&colour[at..at + 2], 16).unwrap())
}

/// How much each of the six charts differs, at most 1.
fn differences(one: &Picture, two: &Picture) -> [f64; 6] {
    let (width, height) = (WIDTH / SIDE / 2, HEIGHT / SIDE / 3);
    std::array::from_fn(|at| one.differs(two, [at % 2 * width, at / 2 * height, width, height]))
}

fn drawn(page: &str, mode: usize) -> Vec<u8> {
    shown(&charts(page), mode, WIDTH, HEIGHT).picture
}

#[expect(clippy::disallowed_methods, reason = "a test compares files of its own folder")]
#[test]
fn charts_look_as_they_did() {
    let page = report().to_html();
    for (mode, name) in [(LIGHT, "charts_light.png"), (DARK, "charts_dark.png")] {
        let drawn = drawn(&page, mode);
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs/golden").join(name);
        if std::env::var_os("ENGINE_REWRITE").is_some() {
            std::fs::write(&golden, &drawn).unwrap();
        }
        let before = Picture::read(&std::fs::read(&golden).unwrap());
        let differences = differences(&Picture::read(&drawn), &before);
        assert!(differences.iter().all(|part| *part < TOLERANCE), "{name}: {differences:?}");
    }
}

#[test]
fn pictures_differ_by_charts_and_not_by_fonts() {
    let page = report().to_html();
    let before = Picture::read(&drawn(&page, LIGHT));
    let serif = page.replace("system-ui, -apple-system", "serif");
    assert_ne!(page, serif);
    let differences_of = |page: &str| differences(&before, &Picture::read(&drawn(page, LIGHT)));
    let of_fonts = differences_of(&serif);
    assert!(of_fonts.iter().all(|part| *part < TOLERANCE), "{of_fonts:?}");
    // A chart without what it shows: one with bars, one with a line.
    for (at, first) in [(0, "<rect"), (3, "<polyline")] {
        let svg = page.match_indices("<svg viewBox=\"0 0 520").nth(at).unwrap().0;
        let begin = svg + page[svg..].find(first).unwrap();
        let end = svg + page[svg..].find("</svg>").unwrap();
        let of_chart = differences_of(&format!("{}{}", &page[..begin], &page[end..]));
        assert!(of_chart[at] > 2.0 * TOLERANCE, "{of_chart:?}");
        let others = (0..6).filter(|other| *other != at).all(|other| of_chart[other] == 0.0);
        assert!(others, "{of_chart:?}");
    }
    let of_mode = differences(&before, &Picture::read(&drawn(&page, DARK)));
    assert!(of_mode.iter().all(|part| *part > 2.0 * TOLERANCE), "{of_mode:?}");
}

#[test]
fn the_page_is_whole_in_the_light_and_in_the_dark_and_on_a_telephone() {
    let page = report().to_html();
    for mode in [LIGHT, DARK] {
        for (width, height) in [(1280, 4400), (400, 6000)] {
            let shown = shown(&page, mode, width, height);
            let picture = Picture::read(&shown.picture);
            assert_eq!(shown.console, Vec::<String>::new());
            assert_eq!((picture.width, picture.lines.len()), (width, height));
            for (name, least) in [
                ("surface", 100_000),
                ("good-bar", 5_000),
                ("warning-bar", 2_000),
                ("bad", 300),
                ("accent", 100),
            ] {
                let count = picture.count(colour(&page, mode, name));
                assert!(count > least, "{name} at {width}: {count}");
            }
            // The page ends, and nothing stands out of it on the right.
            let ground = colour(&page, mode, "page");
            let margins = picture.lines.iter().map(|line| &line[width - 10..]);
            assert!(margins.flatten().all(|point| *point == ground), "{mode} {width}");
            assert!(picture.lines[height - 20..].iter().flatten().all(|point| *point == ground));
        }
    }
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    let page = report().to_html();
    let folder = tempfile::tempdir().unwrap();
    let dumped = |page: &str| {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test writes a file of a folder of its own"
        )]
        std::fs::write(folder.path().join("page.html"), page).unwrap();
        let done = chromium(folder.path(), &["--dump-dom"]);
        let texts = [done.stdout, done.stderr];
        texts.map(|text| String::from_utf8_lossy(&text).into_owned())
    };
    let [dom, said] = dumped(&page);
    assert!(!said.contains("CONSOLE"), "{said}");
    assert_eq!(dom.matches("<figure>").count(), 6);
    assert_eq!(
        dom.matches("<svg viewBox=\"0 0 520 200\" role=\"img\" aria-labelledby=").count(),
        6
    );
    // As many tables as charts stand beside them, and each element that was written is there.
    assert_eq!(dom.matches("<details>").count(), 6);
    for element in ["<rect", "<polyline", "<circle", "<td", "<th", "<li", "<caption"] {
        assert_eq!(dom.matches(element).count(), page.matches(element).count(), "{element}");
    }
    // Should a name ever become an element, the page's policy holds, and the console says so.
    let hostile =
        "<img src=\"http://collector.invalid/x\"><script>document.title='run'</script></body>";
    let [dom, said] = dumped(&page.replace("</body>", hostile));
    assert!(!dom.contains("<title>run"), "{dom}");
    assert!(said.matches("CONSOLE").count() >= 2, "{said}");
}
