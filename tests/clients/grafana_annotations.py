"""An independent client (grafana-client) reads a region back.

In: GRAFANA (URL), TOKEN and SUBJECT in the environment.
Out: the one annotation with the tags `windlass` and SUBJECT, as JSON.
Never: changes anything.
"""

import json
import os

from grafana_client import GrafanaApi

grafana = GrafanaApi.from_url(os.environ["GRAFANA"], credential=os.environ["TOKEN"])
found = grafana.annotations.find_annotations(tags=["windlass", os.environ["SUBJECT"]])
assert len(found) == 1, found
print(json.dumps(found[0]))
