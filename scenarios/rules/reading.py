"""RT00x: what is found while files are read and compared with the field tables (``scenarios.manifests``)."""

from __future__ import annotations

from scenarios.findings import Severity
from scenarios.rules.rule import Rule

_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO

_STRICT = "The API server decodes strictly and refuses the whole object."

RULES = (
    Rule("RT001", "yaml-syntax", _E, "A document that is no YAML cannot be applied; none of it reaches the cluster.",
         "correct the indentation or quoting at this place"),
    Rule("RT002", "template-not-rendered", _E, "Unquoted {{ ... }} is the input of a template engine, not a manifest.",
         "render it first: helm template CHART > FILE, or quote the value"),
    Rule("RT003", "duplicate-key", _E, "A key that is written twice keeps one of its values, and readers disagree which.",
         "delete one of them"),
    Rule("RT004", "surprising-scalar", _W, "Unquoted yes, on, 010 or 1e3 are read as booleans or numbers.",
         "quote the value if text is meant"),
    Rule("RT005", "file-unreadable", _E, "A file that cannot be read cannot be checked (exit status 2).",
         "correct the path, the permissions or the encoding (UTF-8)"),
    Rule("RT006", "no-object", _E, "Every Kubernetes object has an apiVersion and a kind; a file with neither, such as Helm "
         "values, is only mentioned (info).", "add apiVersion and kind"),
    Rule("RT007", "kind-not-modelled", _I, "There is no field table for this kind: its fields are not checked.",
         "give the CRD with --crds if it matters here"),
    Rule("RT008", "written-twice", _W, "Of two objects with the same kind, namespace and name the one applied later wins.",
         "delete or rename one of them"),
    Rule("RT009", "nothing-to-read", _W, "The file or directory holds no document.", "correct the path"),
    Rule("RT010", "unknown-field", _E, _STRICT, "correct the field's name or move it to where it belongs"),
    Rule("RT011", "wrong-type", _E, _STRICT, "write the type the message asks for; quote text that looks like a number"),
    Rule("RT012", "value-not-supported", _E, _STRICT, "use one of the listed values"),
    Rule("RT013", "field-missing", _E, _STRICT, "add the required field"),
    Rule("RT014", "one-of", _E, _STRICT, "write exactly one of the alternatives"),
    Rule("RT015", "name-invalid", _E, _STRICT, "lower-case letters, digits, '-' and '.', at most 253 characters"),
    Rule("RT016", "version-unknown", _E, "The cluster serves this kind under other versions only.",
         "use one of the versions in the message"),
    Rule("RT017", "crd-not-used", _W, "A CustomResourceDefinition without a usable schema replaces nothing.",
         "export it complete: kubectl get crd NAME -o yaml"),
    Rule("RT018", "text-dropped", _E, "kubectl reads one document between two `---` and drops what follows its end (`...`, or a "
         "line that is indented less than the first).", "write --- between documents; delete ... where it stands for left-out text"),
    Rule("RT019", "limit-broken", _E, "Ranges, lengths, patterns and formats of the schema. A whole number that is too large "
         "passes the API server and cannot be decoded by the controller.", "write a value within the limit the message names"),
    Rule("RT020", "item-repeated", _E, "Items of this list are told apart by the fields in the message.",
         "delete or rename one of them"),
    Rule("RT021", "not-rendered", _W, "A Helm chart or a kustomization makes other objects of its files than they hold.",
         "render it first and check the result"),
)  # fmt: skip
"""Findings of the reader; it makes them itself, with a suggestion of its own where it knows better."""
