public import Logging
public import MartletCore
public import Metrics

/// Notes how long each statement took, and logs those that took long: the text with placeholders, never its values, the milliseconds and
/// the request's id.
public struct SlowStatementLog: Sendable {
    public var threshold: Duration
    @usableFromInline let times: StatementTimes
    private let logger: Logger

    public init(threshold: Duration, logger: Logger, metrics: any MetricsFactory = NOOPMetricsHandler.instance) {
        (self.threshold, self.logger) = (threshold, logger)
        times = StatementTimes(metrics)
    }

    /// Notes the time, and logs at level `warning` when it reaches the threshold.
    ///
    /// Give the request's id where the statement does not run in the request's own task.
    @inlinable
    public func record(
        _ statement: String, _ kind: StatementTimes.Kind, took duration: Duration,
        for requestID: @autoclosure () -> String? = CurrentRequest.id
    ) {
        times.record(kind, duration)
        if duration >= threshold { log(statement, duration, requestID()) }
    }

    /// Notes the time, and nothing else: where statements that travelled together must not be called slow for one another.
    public func note(_ kind: StatementTimes.Kind, took duration: Duration) { times.record(kind, duration) }

    /// Logs a statement that is known to be slow.
    public func report(_ statement: String, took duration: Duration, for requestID: String?) {
        log(statement, duration, requestID)
    }

    @usableFromInline
    func log(_ statement: String, _ duration: Duration, _ requestID: String?) {
        var metadata: Logger.Metadata = ["sql": "\(statement)", "milliseconds": "\(Int(duration / .milliseconds(1)))"]
        if let requestID { metadata["request_id"] = "\(requestID)" }
        logger.warning("slow statement", metadata: metadata)
    }
}
