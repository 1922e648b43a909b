//! A snapshot as a table: the chunks of one manifest, scanned as Parquet.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, plan_datafusion_err};
use datafusion::config::EncryptionFactoryOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::context::SessionContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::parquet_encryption::EncryptionFactory;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use engine_bundle::context::Context;
use engine_bundle::ids::FileId;
use engine_bundle::key::KeySource;
use engine_bundle::layout::{Encryption, chunk_path};
use engine_bundle::manifest::Manifest;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::encryption::encrypt::FileEncryptionProperties;

use super::changed;
use super::error::UnsealError;
use super::footer::chunk_file;
use super::store::{SealedFile, UnsealStore};
use crate::types::read_type;

/// One snapshot of an export, readable with SQL.
#[derive(Debug)]
pub struct SnapshotTable {
    schema: SchemaRef,
    url: ObjectStoreUrl,
    files: Vec<PartitionedFile>,
    decryption: Option<Arc<dyn EncryptionFactory>>,
}

/// The Arrow schema of a manifest's columns.
pub fn arrow_schema(manifest: &Manifest) -> Result<Schema> {
    let fields = manifest.schema.iter().map(|column| {
        let data_type = read_type(&column.data_type).ok_or_else(|| {
            plan_datafusion_err!("the type of column {} cannot be read", column.name)
        })?;
        Ok(Field::new(&column.name, data_type, column.nullable))
    });
    Ok(Schema::new(fields.collect::<Result<Vec<_>>>()?))
}

impl SnapshotTable {
    /// A table over the chunks of `manifest`; its object store is registered with the session.
    ///
    /// # Errors
    /// A chunk that is missing, or whose footer is damaged or that of another chunk. The rest is checked
    /// while it is read; of a modular chunk before, so that it is read twice.
    pub async fn open(
        session: &SessionContext,
        store: &Arc<dyn ObjectStore>,
        file: FileId,
        manifest: &Manifest,
        keys: Arc<dyn KeySource + Send + Sync>,
    ) -> Result<Self> {
        let schema = Arc::new(arrow_schema(manifest)?);
        let url = ObjectStoreUrl::parse(format!("sealed://{file}-{}", manifest.version))?;
        let mut table = Self { schema, url, files: Vec::new(), decryption: None };
        match manifest.encryption {
            Encryption::Sealed => table.open_sealed(session, store, file, manifest, keys).await?,
            Encryption::Modular => table.open_modular(session, store, file, manifest, keys).await?,
        }
        Ok(table)
    }

    async fn open_sealed(
        &mut self,
        session: &SessionContext,
        store: &Arc<dyn ObjectStore>,
        file: FileId,
        manifest: &Manifest,
        keys: Arc<dyn KeySource + Send + Sync>,
    ) -> Result<()> {
        let mut files = BTreeMap::new();
        let mut paths = Vec::with_capacity(manifest.chunks.len());
        for chunk in &manifest.chunks {
            // DataFusion keeps of a footer that it cannot read a text only: here the file is named, and
            // what is wrong with it.
            chunk_file(manifest, file, chunk).footer(store, &keys).await.map_err(external)?;
            let path = Path::from(chunk_path(file, chunk.id, Encryption::Sealed));
            let context = Context::chunk(&manifest.project, &manifest.export, chunk.id);
            files.insert(path.clone(), SealedFile::new(context, chunk.bytes));
            // In the manifest's order: rows are read as they were written.
            paths.push(path);
        }
        let unsealed = Arc::new(UnsealStore::new(Arc::clone(store), keys, files));
        for path in paths {
            self.files.push(PartitionedFile::from(unsealed.head(&path).await?));
        }
        session.register_object_store(self.url.as_ref(), unsealed);
        Ok(())
    }

    async fn open_modular(
        &mut self,
        session: &SessionContext,
        store: &Arc<dyn ObjectStore>,
        file: FileId,
        manifest: &Manifest,
        keys: Arc<dyn KeySource + Send + Sync>,
    ) -> Result<()> {
        let mut file_keys = BTreeMap::new();
        for chunk in &manifest.chunks {
            let described = chunk_file(manifest, file, chunk);
            let decryption = described.decryption(&*keys).map_err(external)?;
            described.footer(store, &keys).await.map_err(external)?;
            // The library's decryption of pages panics at some lengths that a changed byte can give: only
            // chunks that are what was committed are scanned.
            changed::check(&**store, &described, &chunk.digest).await.map_err(external)?;
            let path = described.path();
            let found = store.head(&path).await?;
            file_keys.extend(decryption.map(|decryption| (path, decryption)));
            self.files.push(PartitionedFile::from(found));
        }
        session.register_object_store(self.url.as_ref(), Arc::clone(store));
        self.decryption = Some(Arc::new(ModularKeys(file_keys)));
        Ok(())
    }
}

fn external(error: UnsealError) -> datafusion::error::DataFusionError {
    datafusion::error::DataFusionError::External(Box::new(error))
}

/// Decryption by file: what DataFusion asks when it opens a modular chunk.
struct ModularKeys(BTreeMap<Path, Arc<FileDecryptionProperties>>);

impl std::fmt::Debug for ModularKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ModularKeys")
    }
}

#[async_trait]
impl EncryptionFactory for ModularKeys {
    async fn get_file_encryption_properties(
        &self,
        _: &EncryptionFactoryOptions,
        _: &SchemaRef,
        _: &Path,
    ) -> Result<Option<Arc<FileEncryptionProperties>>> {
        Ok(None)
    }

    async fn get_file_decryption_properties(
        &self,
        _: &EncryptionFactoryOptions,
        path: &Path,
    ) -> Result<Option<Arc<FileDecryptionProperties>>> {
        Ok(self.0.get(path).cloned())
    }
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut source = ParquetSource::new(Arc::clone(&self.schema)).with_pushdown_filters(true);
        if let Some(decryption) = &self.decryption {
            source = source.with_encryption_factory(Arc::clone(decryption));
        }
        let config = FileScanConfigBuilder::new(self.url.clone(), Arc::new(source))
            .with_file_group(FileGroup::new(self.files.clone()))
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
