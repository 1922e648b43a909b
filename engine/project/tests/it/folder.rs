//! A project in a temporary folder.

use std::path::Path;

use engine_project::{LoadOptions, Problems, Project, load};

/// A small project that loads, as (path, text).
pub(crate) const BASE: [(&str, &str); 7] = [
    (
        "engine.yml",
        "name: acme\nedition: 2026\nvars:\n  rows: 500\n  country: DE\ndefaults:\n  chunk: {rows: 1000}\n",
    ),
    (
        "profiles.yml",
        "default: dev\ntargets:\n  dev:\n    store: file://target/store\n    keys: {provider: passphrase, keyring: keyring.json, env: ENGINE_PASSPHRASE}\n    connections:\n      crm: {type: sqlite, path: data/crm.sqlite}\n      uat: {type: sqlite, path: out.sqlite}\n    execution: {jobs: 2, memory: 1GiB}\n  prod:\n    store: \"{{ env_var('STORE') }}\"\n    protected: true\n    keys: {provider: environment, env: MASTER}\n    connections:\n      crm: {type: sqlite, path: \"{{ env_var('DB') }}\", password: \"{{ env_var('PASSWORD') }}\", port: \"{{ env_var('PORT') | int }}\"}\n      uat: {type: sqlite, path: out.sqlite}\n    events:\n      - prometheus: {file: target/engine.prom}\n      - openlineage: {url: https://lineage.example.com, api_key: \"{{ env_var('API_KEY') }}\"}\n      - pushgateway: {url: http://localhost:9091, job: nightly}\n      - webhook: {url: https://hooks.example.com, secret: \"{{ env_var('HOOK_SECRET') }}\", when: [started, failed]}\n",
    ),
    (
        "sources/crm.yml",
        "sources:\n  - name: crm\n    connection: crm\n    tags: [raw]\n    tables:\n      - name: customers\n        key: [customer_id]\n        read: {table: Customer}\n        columns:\n          - {name: customer_id, type: int64, class: id}\n          - {name: email, type: string, class: pii.email, tests: [not_null, {unique: {}}]}\n          - {name: birth_date, type: date, class: quasi.birth_date}\n          - {name: country, type: string, class: public}\n        references:\n          - {columns: [customer_id], table: employees, to: [id]}\n      - name: employees\n",
    ),
    (
        "policies/masking.yml",
        "classes:\n  id: {sensitive: true}\n  pii: {sensitive: true, description: identifies a person}\n  quasi: {sensitive: true}\n  public: {sensitive: false}\nmasking:\n  unclassified: deny\n  rules:\n    - {name: emails, match: {class: pii.email}, mask: email, linkage: customer, params: {keep_domain: false}}\n    - {name: births, match: {class: quasi.birth_date}, mask: date_shift, params: {days: 30, per: customer_id}}\n    - {name: open, match: {class: public}, keep: {owner: \"@dpo\", reason: public register, until: 2027-06-30}}\n",
    ),
    (
        "models/profile.sql",
        "select * from {{ source('crm', 'customers') }}\nwhere country = '{{ var('country') }}'\n",
    ),
    ("models/summary.sql", "select count(*) as n from {{ ref('profile') }}\n"),
    (
        "exports/customers.yml",
        "models:\n  - name: profile\n    tags: [nightly]\n    columns:\n      - {name: email, class: pii.email, declassify: {owner: \"@dpo\", reason: hashed}}\nexports:\n  - name: customers\n    from: source('crm', 'customers')\n    where: \"country <> 'TEST'\"\n    partition_by: [country]\n    chunk: {rows: \"{{ var('rows') }}\"}\n    tests: [{k_anonymity: {columns: [birth_date, country], k: 5}}]\n    load: [{connection: uat, table: public.customers}]\n  - name: profiles\n    from: \"{{ ref('profile') }}\"\n    encryption: modular\n",
    ),
];

/// Writes the base project with some files replaced or added, and loads it.
pub(crate) fn load_with(
    changes: &[(&str, &str)],
    options: &LoadOptions,
) -> Result<Project, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let base = BASE.iter().filter(|(path, _)| !changes.iter().any(|(changed, _)| changed == path));
    for (path, text) in base.chain(changes) {
        write(&folder.path().join(path), text.as_bytes());
    }
    load(folder.path(), options)
}

/// Loads the base project with one piece of one file replaced, which must be there.
pub(crate) fn load_edited(path: &str, from: &str, to: &str) -> Result<Project, Problems> {
    let (_, text) = BASE.iter().find(|(name, _)| *name == path).unwrap();
    assert!(text.contains(from), "{path} has no {from:?}");
    load_with(&[(path, &text.replacen(from, to, 1))], &LoadOptions::default())
}

#[expect(clippy::disallowed_methods, reason = "tests make their own projects")]
pub(crate) fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}
