#!/usr/bin/env bash
# Prints the alerts of deploy/prometheus/alerts.yml as a PrometheusRule:
#
#     deploy/kubernetes/prometheus-rule.sh | kubectl apply --namespace sms -f -
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

cat <<'YAML'
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: gatewayapi-sms-connector
  labels:
    app.kubernetes.io/name: gatewayapi-sms-connector
spec:
YAML
sed 's/^./  &/' ../prometheus/alerts.yml
