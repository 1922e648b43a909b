//! Directories in a bucket of Amazon S3, or of a store that speaks its protocol.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::connector::ConnectContext;
use crate::error::{ParameterProblem, SourceError, SourceErrorKind};
use crate::params::invalid;

/// Attempts after the first, for answers that may be better next time.
const RETRIES_MAX: usize = 4;

/// No attempt begins later than this after the first one.
const RETRY_WITHIN: Duration = Duration::from_secs(30);

/// How long a connection and an answer may take to begin.
const CONNECT_WITHIN: &str = "5s";

/// The `store` of a connection whose URL is `s3://bucket/directory`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct S3Options {
    /// Where the store answers, such as `https://minio.example:9000`; Amazon's own endpoint
    /// where absent.
    endpoint: Option<String>,
    /// Region of the bucket; `us-east-1` where absent.
    region: Option<String>,
    /// The access key's name.
    access_key_id: Option<String>,
    /// The access key's secret, by reference: `{{ env_var('NAME') }}`.
    secret_access_key: Option<String>,
    /// Token of temporary credentials, by reference.
    session_token: Option<String>,
    /// Read a public bucket without credentials.
    anonymous: bool,
    /// Whether an `http://` endpoint is allowed: everything read from it crosses the network in
    /// clear.
    allow_http: bool,
    /// Whether the bucket is part of the host name rather than of the path.
    virtual_hosted: bool,
}

impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Options").finish_non_exhaustive()
    }
}

impl S3Options {
    /// The client of a bucket. Opens nothing.
    ///
    /// # Errors
    /// A URL without bucket, credentials that are missing, in clear or contradict each other, an
    /// endpoint that is not a URL or would be talked to in clear. The library's own errors are
    /// dropped: they can quote options.
    pub(crate) fn client(
        self,
        url: &Url,
        context: &ConnectContext,
    ) -> Result<Arc<dyn ObjectStore>, SourceError> {
        let bucket = url.host_str().filter(|bucket| !bucket.is_empty());
        let bucket = bucket.ok_or_else(|| invalid("url", "must name a bucket"))?;
        self.check(context)?;
        let retries = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: RETRIES_MAX,
            retry_timeout: RETRY_WITHIN,
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_retry(retries)
            .with_skip_signature(self.anonymous)
            .with_allow_http(self.allow_http)
            .with_virtual_hosted_style_request(self.virtual_hosted)
            .with_config(
                AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout),
                CONNECT_WITHIN,
            );
        let given = [
            (AmazonS3ConfigKey::Endpoint, self.endpoint),
            (AmazonS3ConfigKey::Region, self.region),
            (AmazonS3ConfigKey::AccessKeyId, self.access_key_id),
            (AmazonS3ConfigKey::SecretAccessKey, self.secret_access_key),
            (AmazonS3ConfigKey::Token, self.session_token),
        ];
        for (key, value) in given {
            if let Some(value) = value {
                builder = builder.with_config(key, value);
            }
        }
        let client = builder.build().map_err(|_| invalid("store", "must describe an S3 store"))?;
        Ok(Arc::new(client))
    }

    fn check(&self, context: &ConnectContext) -> Result<(), SourceError> {
        let secrets = [
            ("store.secret_access_key", &self.secret_access_key),
            ("store.session_token", &self.session_token),
        ];
        for (path, value) in secrets {
            if value.is_some() && !context.secret_params.contains(path) {
                return Err(invalid(
                    path,
                    "must come from the environment: `{{ env_var('NAME') }}`",
                ));
            }
        }
        let keys = self.access_key_id.is_some() || self.secret_access_key.is_some();
        if self.anonymous && (keys || self.session_token.is_some()) {
            return Err(invalid("store.anonymous", "must not stand beside credentials"));
        }
        if !self.anonymous && self.access_key_id.is_none() {
            return Err(missing("store.access_key_id").with_hint(
                "give `access_key_id` and `secret_access_key`, or `anonymous: true` for a public \
                 bucket",
            ));
        }
        if !self.anonymous && self.secret_access_key.is_none() {
            return Err(missing("store.secret_access_key"));
        }
        let Some(endpoint) = &self.endpoint else { return Ok(()) };
        match Url::parse(endpoint) {
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                Err(invalid("store.endpoint", "must not hold credentials"))
            }
            Ok(url) if url.scheme() == "https" => Ok(()),
            Ok(url) if url.scheme() == "http" && self.allow_http => Ok(()),
            Ok(url) if url.scheme() == "http" => {
                Err(invalid("store.endpoint", "must be https, unless `allow_http: true` is set"))
            }
            _ => Err(invalid("store.endpoint", "must be an http or https URL")),
        }
    }
}

fn missing(path: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Parameter {
        path: path.to_owned(),
        problem: ParameterProblem::Missing,
    })
}
