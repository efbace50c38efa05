import HTTPTypes
import HummingbirdCore
public import Logging
import MartletContract
import MartletCore
public import MartletWire
public import NIOCore
public import ServiceLifecycle

/// A listening server: the wire in front of a pipeline.
public enum HTTPServer {
    /// Builds the service that listens; it runs until it is shut down gracefully.
    public static func service(
        _ pipeline: Pipeline, at place: ListeningPlace, limits: WireLimits, tls: WireTLS?, draining: Draining, reloads: Reloads,
        eventLoops: any EventLoopGroup,
        logger: Logger, onRunning: @escaping @Sendable (_ port: Int) async -> Void
    ) throws -> any Service {
        let wire = WireConfiguration(limits: limits, tls: tls, turnAway: pipeline.turnAway) { refusal in
            pipeline.metrics.refused(refusal.status)
            return render(refusal, overTLS: tls != nil, logger)
        }
        return try wire.listener(
            at: place, draining: draining, reloads: reloads, eventLoops: eventLoops, logger: logger,
            responder: { request, writer, channel in
                let answer = await pipeline.respond(to: request, on: channel)
                try await answer.write(to: writer, isHead: request.method == .head, on: channel, among: pipeline.streams)
            },
            onRunning: onRunning)
    }

    /// What the wire refuses looks like every other Problem, and is logged like every other answer.
    private static func render(_ refusal: Refusal, overTLS: Bool, _ logger: Logger) -> (HTTPFields, ByteBuffer) {
        let id = Identifier<Call>().description
        logger.info(
            "Refused on the wire", metadata: ["request_id": "\(id)", "status": "\(refusal.status.code)", "code": "\(refusal.code)"])
        let problem = Problem(
            title: refusal.status.reasonPhrase, status: refusal.status.code, detail: refusal.message, code: refusal.code, requestId: id)
        var fields: HTTPFields = [.contentType: Problem.mediaType, .cacheControl: "no-store", RequestID.field: id]
        SecurityHeaders.add(to: &fields, overTLS: overTLS)
        // Strings and integers cannot fail to encode.
        return (fields, ByteBuffer(bytes: (try? WireJSON.encode(problem)) ?? []))
    }
}
