public import Logging
public import MartletCore

/// Logs statements that took long: the text with placeholders, never its values, the milliseconds and the request's id.
public struct SlowStatementLog: Sendable {
    public var threshold: Duration
    private let logger: Logger

    public init(threshold: Duration, logger: Logger) {
        (self.threshold, self.logger) = (threshold, logger)
    }

    /// Logs at level `warning` when `duration` reaches the threshold.
    ///
    /// Give the request's id where the statement does not run in the request's own task.
    @inlinable
    public func record(
        _ statement: String, took duration: Duration, for requestID: @autoclosure () -> String? = CurrentRequest.id
    ) {
        if duration >= threshold { log(statement, duration, requestID()) }
    }

    @usableFromInline
    func log(_ statement: String, _ duration: Duration, _ requestID: String?) {
        var metadata: Logger.Metadata = ["sql": "\(statement)", "milliseconds": "\(Int(duration / .milliseconds(1)))"]
        if let requestID { metadata["request_id"] = "\(requestID)" }
        logger.warning("slow statement", metadata: metadata)
    }
}
