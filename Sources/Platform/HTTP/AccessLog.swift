import HTTPTypes
import Logging
import MartletCore
import MartletTelemetry

/// One line per answer.
public struct AccessLog: Sendable {
    public init() {}

    func note(_ call: Call, _ trail: Trail, _ answer: Answer, since start: ContinuousClock.Instant, _ logger: Logger) {
        let level: Logger.Level = trail.route?.isQuiet == true ? .debug : .info
        guard logger.logLevel <= level else { return }
        logger.log(
            level, "\(call.request.method.rawValue) \(trail.template ?? "unknown path") \(answer.status.code)",
            fields: fields(call, trail, answer, ContinuousClock.now - start), in: call.trace)
    }

    private func fields(_ call: Call, _ trail: Trail, _ answer: Answer, _ elapsed: Duration) -> [LogField] {
        var fields: [LogField] = []
        fields.reserveCapacity(8)
        fields.append(LogField("request_id", call.id))
        if let caller = trail.caller { fields.append(LogField("user", caller)) }
        fields.append(LogField("route", trail.template ?? "none"))
        fields.append(LogField("method", call.request.method.rawValue))
        fields.append(LogField("status", answer.status.code))
        fields.append(LogField("ms", milliseconds: elapsed))
        fields.append(answer.length.map { LogField("bytes", $0) } ?? LogField("bytes", "streamed"))
        fields.append(LogField("client", call.address))
        return fields
    }
}
