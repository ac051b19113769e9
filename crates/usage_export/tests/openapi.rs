//! `docs/openapi.yaml` can be read by programs.

use saphyr::{LoadableYamlNode, Yaml};

const DOCUMENT: &str = include_str!("../../../docs/openapi.yaml");

/// The node that a reference such as `#/components/schemas/Timestamp` names.
fn resolve<'a>(document: &'a Yaml<'a>, reference: &str) -> Option<&'a Yaml<'a>> {
    let mut path = reference.strip_prefix("#/")?.split('/');
    path.try_fold(document, |node, name| node.as_mapping_get(name))
}

/// All references in a node, at any depth.
fn references<'a>(node: &'a Yaml<'a>, found: &mut Vec<&'a str>) {
    if let Some(items) = node.as_sequence() {
        for item in items {
            references(item, found);
        }
    }
    for (name, value) in node.as_mapping().into_iter().flatten() {
        match (name.as_str(), value.as_str()) {
            (Some("$ref"), Some(reference)) => found.push(reference),
            _ => references(value, found),
        }
    }
}

#[test]
fn the_openapi_document_is_yaml_whose_references_lead_somewhere() {
    let documents = Yaml::load_from_str(DOCUMENT).expect("YAML");
    let document = documents.first().expect("a document");
    assert_eq!(document.as_mapping_get("openapi").and_then(Yaml::as_str), Some("3.1.0"));
    let mut found = Vec::new();
    references(document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        assert!(resolve(document, reference).is_some(), "{reference} leads nowhere");
    }
}
