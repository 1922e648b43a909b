//! What the benchmark compares with: DataFusion's own `COPY` of a Parquet file to plain
//! zstd Parquet, unmasked and unsealed, in a session with DataFusion's defaults.
//!
//! `copy FROM TO PARTITIONS LEVEL`, LEVEL being zstd's, prints the seconds it took.

use std::time::Instant;

use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};

#[tokio::main]
#[expect(
    clippy::disallowed_methods,
    reason = "the point is a session that is not the engine's: DataFusion as it comes"
)]
#[expect(clippy::print_stdout, reason = "the seconds are what this program is for")]
async fn main() -> Result<()> {
    let usage =
        || DataFusionError::Configuration("usage: copy FROM TO PARTITIONS LEVEL".to_owned());
    let mut arguments = std::env::args().skip(1);
    let from = arguments.next().ok_or_else(usage)?;
    let to = arguments.next().ok_or_else(usage)?.replace('\'', "''");
    let mut number = || arguments.next().and_then(|text| text.parse::<usize>().ok());
    let partitions = number().ok_or_else(usage)?;
    let level = number().ok_or_else(usage)?;

    let config = SessionConfig::new().with_target_partitions(partitions);
    let context = SessionContext::new_with_config(config);
    let started = Instant::now();
    context.register_parquet("rows", &from, ParquetReadOptions::default()).await?;
    let copy = format!(
        "COPY (SELECT * FROM rows) TO '{to}' STORED AS PARQUET OPTIONS ('format.compression' 'zstd({level})')"
    );
    context.sql(&copy).await?.collect().await?;
    println!("{:.2}", started.elapsed().as_secs_f64());
    Ok(())
}
