import HTTPTypes
import HummingbirdCore
import HummingbirdHTTP2
import NIOCore
import NIOHTTPTypes

extension HTTP2ChannelConfiguration {
    /// The frame layer keeps its own bounds: 100 streams at a time, 16 KiB of fields, 5 CONTINUATION frames in a row, 200 resets
    /// in 30 seconds (RFC 9113 §10.5). A connection without streams closes after the idle time.
    static func martlet(_ configuration: WireConfiguration, _ draining: Draining) -> HTTP2ChannelConfiguration {
        .init(
            idleTimeout: configuration.limits.idleTimeout,
            gracefulCloseTimeout: configuration.limits.writeStallTimeout,
            streamConfiguration: .init(additionalChannelHandlers: [StreamGuard(configuration: configuration)]))
    }
}

/// The checks of HTTP/1.1 that apply to a request on an HTTP/2 stream too, and its deadlines.
///
/// Framing, field syntax and pseudo-fields are checked by the frame layer (RFC 9113 §8).
final class StreamGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let configuration: WireConfiguration
    private var deadlines: Deadlines
    private var method = HTTPRequest.Method.get
    private var received = 0
    private var requestEnded = false
    private var responseBegan = false
    private var refused = false
    private var awaitsContinue = false
    /// Bytes of the response handed to the stream, and those its flow control let through.
    private var written = 0
    private var accepted = 0
    private var clock: NIOScheduledCallback?
    private var context: ChannelHandlerContext?

    init(configuration: WireConfiguration) {
        self.configuration = configuration
        deadlines = Deadlines(limits: configuration.limits, opened: .now())
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !refused else { return }
        switch unwrapInboundIn(data) {
        case .head(let request): begin(request, context: context)
        case .body(let piece): take(piece, context: context)
        case .end:
            requestEnded = true
            deadlines.requestEnded()
            context.fireChannelRead(wrapInboundOut(.end(nil)))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        deadlines.waits(false, at: .now())
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if !requestEnded, !awaitsContinue { deadlines.waits(true, at: .now()) }
        context.read()
    }

    private func begin(_ request: HTTPRequest, context: ChannelHandlerContext) {
        method = request.method
        if let refusal = StreamRules.refusal(of: request, limits: configuration.limits) { return refuse(refusal, context: context) }
        awaitsContinue = request.headerFields[.expect] != nil
        deadlines.bodyBegan()
        context.fireChannelRead(wrapInboundOut(.head(request)))
    }

    private func take(_ piece: ByteBuffer, context: ChannelHandlerContext) {
        awaitsContinue = false
        received += piece.readableBytes
        deadlines.bodyArrived(piece.readableBytes)
        guard received <= configuration.limits.maxDeclaredBody else { return refuse(.bodyTooLarge, context: context) }
        context.fireChannelRead(wrapInboundOut(.body(piece)))
    }
}

// MARK: Responses

extension StreamGuard {
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !refused else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let part = unwrapOutboundIn(data)
        switch part {
        case .head(var response):
            responseBegan = responseBegan || response.status.kind != .informational
            StreamRules.removeConnectionFields(&response.headerFields)
            context.write(wrapOutboundOut(.head(response)), promise: promise)
        case .body(let piece) where method != .head: count(piece.readableBytes, context.write(wrapOutboundOut(part)))
        case .body: promise?.succeed()
        case .end: context.write(wrapOutboundOut(part), promise: promise)
        }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let event = event as? WireEvent else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if event == .sendContinue, awaitsContinue, !responseBegan, !refused {
            awaitsContinue = false
            deadlines.waits(true, at: .now())
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
        promise?.succeed()
    }

    private func count(_ bytes: Int, _ result: EventLoopFuture<Void>) {
        written += bytes
        result.assumeIsolated().whenSuccess { self.accepted += bytes }
    }

    private func refuse(_ refusal: Refusal, context: ChannelHandlerContext) {
        guard !refused else { return }
        refused = true
        guard !responseBegan else { return context.close(promise: nil) }
        let (fields, body) = configuration.render(refusal)
        var response = HTTPResponse(status: refusal.status, headerFields: fields)
        response.headerFields[.contentLength] = String(body.readableBytes)
        if response.headerFields[.date] == nil { response.headerFields[.date] = HTTPDate.now }
        StreamRules.removeConnectionFields(&response.headerFields)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if method != .head { context.write(wrapOutboundOut(.body(body)), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
            // The endpoint never saw, or no longer needs, this stream: what is left of its body is cancelled.
            context.close(promise: nil)
        }
        context.fireErrorCaught(refusal)
    }
}

// MARK: The clock

extension StreamGuard: NIOScheduledCallbackHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        startClock(context: context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stopClock()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        stopClock()
        if !requestEnded { context.fireErrorCaught(Refusal.incompleteRequest) }
        context.fireChannelInactive()
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        clock = nil
        guard let context else { return }
        switch deadlines.verdict(at: .now(), pending: written - accepted, accepted: accepted) {
        case .bodyTooSlow: refuse(.bodyTooSlow, context: context)
        case .writeStalled, .headTooSlow, .idle, .lingered: return context.close(promise: nil)
        case nil: break
        }
        startClock(context: context)
    }

    private func startClock(context: ChannelHandlerContext) {
        do {
            clock = try context.eventLoop.assumeIsolated().scheduleCallback(in: configuration.limits.resolution, handler: self)
        } catch {
            context.close(promise: nil)  // the event loop is shutting down: no deadline could be kept
        }
    }

    private func stopClock() {
        clock?.cancel()
        clock = nil
    }
}
