import Foundation

/// What is known of a worker's crash, as a line of the crash log. No path, no query, no body: a route and an id lead to the access log.
struct CrashRecord: Codable, Equatable {
    struct Request: Codable, Equatable {
        var route: String
        var requestID: String
        var milliseconds: Int64

        enum CodingKeys: String, CodingKey { case route, requestID = "request_id", milliseconds }
    }

    /// A crash among thousands of requests is told by its first ones.
    static let mostRequests = 32

    var time: String
    var pid: Int32
    var signal: String?
    var exitStatus: Int32?
    var uptimeMilliseconds: Int64
    /// The request that the trap was in, where that is known.
    var request: Request?
    /// All that were being served, the oldest first; what a trap's own request is not known for.
    var inFlight: [Request]

    enum CodingKeys: String, CodingKey {
        case time, pid, signal, exitStatus = "exit_status", uptimeMilliseconds = "uptime_ms", request, inFlight = "in_flight"
    }

    init(time: Date, pid: Int32, end: WorkerEnd, lived: Duration, entries: [InFlight.Entry]) {
        let requests = entries.map { Request(route: $0.route, requestID: $0.id, milliseconds: $0.milliseconds) }
        self.time = time.ISO8601Format(.iso8601(timeZone: .gmt, includingFractionalSeconds: true)) + "Z"
        self.pid = pid
        signal = end.signal.map(SignalName.of)
        exitStatus = end.status
        uptimeMilliseconds = lived.milliseconds
        request = entries.first?.isCulprit == true ? requests.first : nil
        inFlight = Array(requests.prefix(Self.mostRequests))
    }

    var line: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and integers cannot fail to encode.
        return String(decoding: (try? encoder.encode(self)) ?? Data(), as: UTF8.self)
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
