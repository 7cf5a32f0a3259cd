"""Settings: values of the user's own YAML by name, as a search or a study varies them and a patch writes them down.

A setting is always the text that will stand in the file (``2m30s``, ``5``, ``25%``). The same edit of that text makes the
scenario that is simulated and the patch that is handed over, so that the two cannot differ; and the edited text takes the
way of every manifest, so that what the controller would refuse is refused here too.
"""

from scenarios.settings.apply import Editor, with_settings
from scenarios.settings.binding import Bound, bind
from scenarios.settings.parameter import (
    Choices,
    Parameter,
    Range,
    Unit,
    Values,
    read_parameter,
    read_parameters,
)
from scenarios.settings.patch import Patch, patch
from scenarios.settings.space import default_parameters

__all__ = [
    "Bound",
    "Choices",
    "Editor",
    "Parameter",
    "Patch",
    "Range",
    "Unit",
    "Values",
    "bind",
    "default_parameters",
    "patch",
    "read_parameter",
    "read_parameters",
    "with_settings",
]
