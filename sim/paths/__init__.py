"""One path, many thresholds: gates judged offline on what one run, whose gates never end it, could have shown them.

Until its first abort a replication does not depend on its gates, so one recorded path answers for every setting of them
that it does not diverge from; each variant that leaves the path gets a path of its own. What ``judge_many`` says of a
variant is what ``run_once`` of that variant would say.
"""

from sim.paths.judging import Gates, judge_many
from sim.paths.values import Judgement, Judgements

__all__ = ["Gates", "Judgement", "Judgements", "judge_many"]
