// MartletTelemetry: what a running server tells of itself: logs, metrics and traces.
