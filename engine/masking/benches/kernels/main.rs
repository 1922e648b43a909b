//! Kernels of the catalogue, measured with divan: `cargo bench -p engine-masking`, or with a table of
//! results `tests/bench/kernels`.
//!
//! ```text
//!  targets     the functions that a rate is promised of, on the values it is promised for
//!  peers       what others' crates do with the same values, one at a time
//!  around      what the engine does with a column besides masking it
//!  catalogue   every function on a column that is natural for it; text in three forms
//! ```
//!
//! The allocator is that of the program, counted.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

mod cases;
mod inputs;

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher};
use mimalloc::MiMalloc;

use crate::cases::{Case, Ready, catalogue};
use crate::inputs::{DISTINCT, Form, Natural, ROWS};

/// Rows where a batch would take longer than the system lets a process run: a sample is not interrupted then.
const ROWS_OF_SLOW: usize = ROWS / 8;

#[global_allocator]
static ALLOCATOR: AllocProfiler<MiMalloc> = AllocProfiler::new(MiMalloc);

fn main() {
    divan::main();
}

fn run(bencher: Bencher<'_, '_>, ready: &Ready) {
    bencher.counter(ItemsCount::new(ready.column.len())).bench_local(|| ready.apply());
}

/// Functions a rate is promised of. The entities of dates have ten rows each on average, in no order.
mod targets {
    use super::*;

    const PLAIN_AND_VIEW: [Form; 2] = [Form::Plain, Form::View];

    #[divan::bench(args = PLAIN_AND_VIEW)]
    fn token(bencher: Bencher<'_, '_>, form: Form) {
        run(bencher, &Case::new("token", "{}", Natural::Texts, form).ready());
    }

    #[divan::bench(args = PLAIN_AND_VIEW)]
    fn ff1(bencher: Bencher<'_, '_>, form: Form) {
        let mut ready = Case::new("ff1", "{}", Natural::Digits, form).ready();
        ready.column = ready.column.slice(0, ROWS_OF_SLOW);
        run(bencher, &ready);
    }

    #[divan::bench(args = PLAIN_AND_VIEW)]
    fn partial(bencher: Bencher<'_, '_>, form: Form) {
        let params = r#"{"keep_first": 1, "keep_last": 2}"#;
        run(bencher, &Case::new("partial", params, Natural::Texts, form).ready());
    }

    #[divan::bench(args = ["texts", "texts, views", "postcodes, views", "dates", "dates to the year", "instants", "integers"])]
    fn truncate(bencher: Bencher<'_, '_>, what: &str) {
        let (params, natural, form) = match what {
            "texts" => (r#"{"keep": 10}"#, Natural::Texts, Form::Plain),
            "texts, views" => (r#"{"keep": 10}"#, Natural::Texts, Form::View),
            "postcodes, views" => (r#"{"keep": 2, "fill": "0"}"#, Natural::Postcodes, Form::View),
            "dates" => (r#"{"unit": "month"}"#, Natural::Dates, Form::Plain),
            "dates to the year" => (r#"{"unit": "year"}"#, Natural::Dates, Form::Plain),
            "instants" => (r#"{"unit": "day"}"#, Natural::Instants, Form::Plain),
            _ => (r#"{"multiple": 100}"#, Natural::Integers, Form::Plain),
        };
        run(bencher, &Case::new("truncate", params, natural, form).ready());
    }

    #[divan::bench(args = ["integers", "integers by edges", "decimals", "floats"])]
    fn bucket(bencher: Bencher<'_, '_>, what: &str) {
        let (params, natural) = match what {
            "integers" => (r#"{"width": 10}"#, Natural::Integers),
            "integers by edges" => (r#"{"edges": [10, 1000, 50000, 200000]}"#, Natural::Integers),
            "decimals" => (r#"{"width": 10}"#, Natural::Decimals),
            _ => (r#"{"width": 10}"#, Natural::Floats),
        };
        run(bencher, &Case::new("bucket", params, natural, Form::Plain).ready());
    }

    #[divan::bench(args = ["whole column", "text", "integer", "integer, rows together", "text, rows together", "text, all differ", "dictionary"])]
    fn date_shift(bencher: Bencher<'_, '_>, per: &str) {
        let params = match per {
            "whole column" => r#"{"days": 30, "whole_column": true}"#,
            _ => r#"{"days": 30, "per": "customer_id"}"#,
        };
        let mut ready = Case::new("date_shift", params, Natural::Dates, Form::Plain).ready();
        ready.others = match per {
            "whole column" => Vec::new(),
            _ => vec![inputs::entities(per)],
        };
        run(bencher, &ready);
    }

    /// So many rows of one dictionary: the cost is that of its values.
    #[divan::bench(args = [DISTINCT, ROWS])]
    fn dictionary(bencher: Bencher<'_, '_>, rows: usize) {
        let case = Case::new("token", "{}", Natural::Texts, Form::Dictionary);
        run(bencher, &case.ready_with_rows(rows));
    }

    #[divan::bench(args = PLAIN_AND_VIEW)]
    fn scrub(bencher: Bencher<'_, '_>, form: Form) {
        let ready = Case::natural("scrub", form).ready();
        let bytes = inputs::text_bytes(&ready.column);
        bencher.counter(BytesCount::new(bytes)).bench_local(|| ready.apply());
    }
}

/// Others' crates, one value at a time.
mod peers {
    use super::*;
    use aes::Aes256;
    use arrow::array::AsArray;
    use fpe::ff1::{FF1, FlexibleNumeralString};

    /// Hashes alone: nothing is written.
    #[divan::bench]
    fn blake3(bencher: Bencher<'_, '_>) {
        let column = inputs::plain(Natural::Texts, ROWS_OF_SLOW);
        let texts = column.as_string::<i32>();
        bencher.counter(ItemsCount::new(ROWS_OF_SLOW)).bench_local(|| {
            for text in texts.iter().flatten() {
                divan::black_box(blake3::keyed_hash(&[7; 32], text.as_bytes()));
            }
        });
    }

    /// Numerals alone: neither read from text nor written.
    #[divan::bench]
    fn fpe(bencher: Bencher<'_, '_>) {
        let column = inputs::plain(Natural::Digits, ROWS_OF_SLOW / 16);
        let numerals: Vec<FlexibleNumeralString> = column
            .as_string::<i32>()
            .iter()
            .flatten()
            .map(|text| {
                text.bytes().map(|digit| u16::from(digit - b'0')).collect::<Vec<_>>().into()
            })
            .collect();
        let ff1 = FF1::<Aes256>::new(&[7; 32], 10).expect("ten is a radix");
        bencher.counter(ItemsCount::new(numerals.len())).bench_local(|| {
            for numerals in &numerals {
                divan::black_box(ff1.encrypt(&[], numerals).expect("they are digits"));
            }
        });
    }
}

/// What is done with a column besides masking it.
mod around {
    use super::*;
    use arrow::array::ArrayRef;
    use engine_masking::{Absent, DigestKey, row_digests, unchanged_rows};

    #[divan::bench(args = ["token", "token, views", "token, dictionary", "token of integers", "postcodes, views", "dates"])]
    fn unchanged(bencher: Bencher<'_, '_>, what: &str) {
        let case = match what {
            "token" => Case::new("token", "{}", Natural::Texts, Form::Plain),
            "token, views" => Case::new("token", "{}", Natural::Texts, Form::View),
            "token, dictionary" => Case::new("token", "{}", Natural::Texts, Form::Dictionary),
            "token of integers" => Case::new("token", "{}", Natural::Integers, Form::Plain),
            "dates" => Case::new("truncate", r#"{"unit": "month"}"#, Natural::Dates, Form::Plain),
            _ => Case::new("truncate", r#"{"keep": 2}"#, Natural::Postcodes, Form::View),
        };
        let ready = case.ready();
        let masked = ready.apply();
        bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
            unchanged_rows(&ready.column, &masked).expect("both are of one length")
        });
    }

    #[divan::bench(args = ["texts", "integers", "dictionary", "texts and integers"])]
    fn digests(bencher: Bencher<'_, '_>, what: &str) {
        let texts = inputs::column(Natural::Texts, Form::View);
        let integers = inputs::column(Natural::Integers, Form::Plain);
        let columns: Vec<ArrayRef> = match what {
            "texts" => vec![texts],
            "integers" => vec![integers],
            "dictionary" => vec![inputs::column(Natural::Texts, Form::Dictionary)],
            _ => vec![texts, integers],
        };
        let key = DigestKey::new([7; 32]);
        bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
            row_digests(&columns, &key, Absent::Null).expect("values have digests")
        });
    }
}

/// Every function.
#[divan::bench(args = catalogue())]
fn functions(bencher: Bencher<'_, '_>, case: &Case) {
    run(bencher, &case.ready());
}
