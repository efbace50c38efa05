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
            fields: fields(call, trail, answer, ContinuousClock.now - start))
    }

    private func fields(_ call: Call, _ trail: Trail, _ answer: Answer, _ elapsed: Duration) -> [LogField] {
        var fields = [LogField("request_id", call.id)]
        fields.reserveCapacity(10)
        if let caller = trail.caller { fields.append(LogField("user", caller.description)) }
        fields += [
            LogField("route", trail.template ?? "none"), LogField("method", call.request.method.rawValue),
            LogField("status", answer.status.code), LogField("ms", milliseconds: elapsed),
            answer.length.map { LogField("bytes", $0) } ?? LogField("bytes", "streamed"), LogField("client", call.address),
        ]
        return fields
    }
}
