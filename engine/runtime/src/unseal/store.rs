//! An object store that shows sealed files as the plain files inside them.
//!
//! A range of plaintext becomes a range of whole segments of ciphertext, which are opened in memory. The
//! store is read-only and knows the files of the snapshots it was made for, no others.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use engine_bundle::context::Context;
use engine_bundle::key::KeySource;
use engine_bundle::sealed::{PROLOGUE_BYTES, RangeReader};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};
use tokio::sync::OnceCell;

use super::error::UnsealError;

/// A sealed file that the store may show.
pub struct SealedFile {
    context: Context,
    reader: OnceCell<(ObjectMeta, RangeReader)>,
    bytes: u64,
}

impl SealedFile {
    /// A file that must be the one `context` names and `bytes` long, as its manifest says.
    pub fn new(context: Context, bytes: u64) -> Self {
        Self { context, reader: OnceCell::new(), bytes }
    }
}

/// Sealed files as plain ones.
pub struct UnsealStore {
    inner: Arc<dyn ObjectStore>,
    keys: Arc<dyn KeySource + Send + Sync>,
    files: BTreeMap<Path, SealedFile>,
}

impl fmt::Debug for UnsealStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UnsealStore")
    }
}

impl fmt::Display for UnsealStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sealed files of {}", self.inner)
    }
}

impl UnsealStore {
    /// Shows `files` of `inner`, opened with `keys`.
    pub fn new(
        inner: Arc<dyn ObjectStore>,
        keys: Arc<dyn KeySource + Send + Sync>,
        files: BTreeMap<Path, SealedFile>,
    ) -> Self {
        Self { inner, keys, files }
    }

    async fn open(&self, location: &Path) -> Result<&(ObjectMeta, RangeReader)> {
        let file = self.files.get(location).ok_or_else(|| Error::NotFound {
            path: location.to_string(),
            source: "not a file of the snapshot".into(),
        })?;
        file.reader.get_or_try_init(|| self.read_header(location, file)).await
    }

    async fn read_header(
        &self,
        location: &Path,
        file: &SealedFile,
    ) -> Result<(ObjectMeta, RangeReader)> {
        let name = location.to_string();
        let size = self.inner.head(location).await;
        let size = size.map_err(|error| UnsealError::store(&name, &error))?.size;
        if size != file.bytes {
            let reason = "is not of the length its manifest states: it was truncated or extended";
            return Err(UnsealError::tampered(name, reason).into());
        }
        let options =
            GetOptions { range: Some((0..PROLOGUE_BYTES as u64).into()), ..GetOptions::default() };
        let found = self
            .inner
            .get_opts(location, options)
            .await
            .map_err(|error| UnsealError::store(&name, &error))?;
        let meta = found.meta.clone();
        let prologue = found.bytes().await.map_err(|error| UnsealError::store(&name, &error))?;
        let reader = RangeReader::new(&*self.keys, &file.context, &prologue, meta.size)
            .map_err(|error| UnsealError::sealed(&name, &error))?;
        let meta = ObjectMeta { size: reader.plaintext_len(), ..meta };
        Ok((meta, reader))
    }

    async fn read(
        &self,
        location: &Path,
        reader: &RangeReader,
        range: Range<u64>,
    ) -> Result<Bytes> {
        let name = location.to_string();
        let span = reader.span(range).map_err(|error| UnsealError::sealed(&name, &error))?;
        let ciphertext = span.ciphertext();
        let bytes = if ciphertext.is_empty() {
            Bytes::new()
        } else {
            self.inner
                .get_range(location, ciphertext)
                .await
                .map_err(|error| UnsealError::store(&name, &error))?
        };
        Ok(reader.open(&span, &bytes).map_err(|error| UnsealError::sealed(&name, &error))?)
    }
}

fn read_only<T>() -> Result<T> {
    Err(Error::NotSupported { source: "sealed files are shown read-only".into() })
}

#[async_trait]
impl ObjectStore for UnsealStore {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        read_only()
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        read_only()
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (meta, reader) = self.open(location).await?;
        options.check_preconditions(meta)?;
        let range = match &options.range {
            Some(wanted) => wanted
                .as_range(meta.size)
                .map_err(|error| Error::Generic { store: "sealed", source: Box::new(error) })?,
            None => 0..meta.size,
        };
        let bytes = if options.head {
            Bytes::new()
        } else {
            self.read(location, reader, range.clone()).await?
        };
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::once(async { Ok(bytes) }).boxed()),
            meta: meta.clone(),
            range,
            attributes: object_store::Attributes::default(),
        })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        locations.and_then(|_| async { read_only() }).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::empty().boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        read_only()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        read_only()
    }
}
