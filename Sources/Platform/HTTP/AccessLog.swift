import HTTPTypes
import Logging

/// One line per answer.
public struct AccessLog: Sendable {
    public init() {}

    func note(_ call: Call, _ trail: Trail, _ answer: Answer, since start: ContinuousClock.Instant, _ logger: Logger) {
        let level: Logger.Level = trail.route?.isQuiet == true ? .debug : .info
        guard logger.logLevel <= level else { return }
        let elapsed = ContinuousClock.now - start
        var metadata: Logger.Metadata = [
            "request_id": "\(call.id)",
            "method": "\(call.request.method.rawValue)",
            "route": "\(trail.template ?? "none")",
            "status": "\(answer.status.code)",
            "ms": "\(elapsed.milliseconds)",
            "bytes": "\(answer.length.map(String.init) ?? "streamed")",
            "client": "\(call.address)",
        ]
        if let caller = trail.caller { metadata["user"] = "\(caller)" }
        logger.log(
            level: level, "\(call.request.method.rawValue) \(trail.template ?? "unknown path") \(answer.status.code)",
            metadata: metadata)
    }
}

extension Duration {
    /// With two decimals.
    var milliseconds: String {
        let hundredths = components.seconds * 100_000 + components.attoseconds / 10_000_000_000_000
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
