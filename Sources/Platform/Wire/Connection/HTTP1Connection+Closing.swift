import HTTPTypes
import NIOCore
import NIOHTTPTypes

// The end: refusals, and a close that lets the peer read its last answer (RFC 9112 §9.6).
extension HTTP1Connection {
    /// Answers by itself and closes. If the endpoint has the request, its reading of the body throws the refusal, and what
    /// it answers is dropped; if it has begun to answer, the connection can only be cut.
    func refuse(_ refusal: Refusal, context: ChannelHandlerContext) {
        guard closing == .no else { return }
        let interrupted = exchange
        if interrupted?.responseBegan == true {
            context.close(promise: nil)
        } else {
            answer(refusal, isHead: interrupted?.isHead ?? reader.refusedMethodIsHead)
            finish(context: context)
        }
        guard let interrupted, !interrupted.requestEnded else { return }
        exchange = nil
        context.fireErrorCaught(refusal)
    }

    private func answer(_ refusal: Refusal, isHead: Bool) {
        let (fields, body) = configuration.render(refusal)
        var response = HTTPResponse(status: refusal.status, headerFields: fields)
        response.headerFields[.contentLength] = String(body.readableBytes)
        if response.headerFields[.date] == nil { response.headerFields[.date] = HTTPDate.now }
        _ = encoder.head(response, .init(isHead: isHead, closes: true), into: &outbound)
        encoder.body(body) { outbound.writeImmutableBuffer($0) }
        _ = encoder.end(into: &outbound)
    }

    /// Sends what is written, then closes the way out and reads on for a little while.
    func finish(context: ChannelHandlerContext) {
        guard closing == .no else { return }
        closing = .flushing
        inbound = ByteBuffer()
        let flushed = context.eventLoop.makePromise(of: Void.self)
        flushed.futureResult.assumeIsolated().whenSuccess { self.linger() }
        writeOut(context: context, promise: flushed)
        context.flush()
    }

    private func linger() {
        guard let context else { return }
        guard !inputClosed else { return context.close(promise: nil) }
        closing = .lingering
        deadlines.lingering(at: .now())
        context.close(mode: .output, promise: nil)
        context.read()
    }

    func discard(_ count: Int, context: ChannelHandlerContext) {
        discarded += count
        if discarded > configuration.limits.maxLingerBytes { context.close(promise: nil) }
    }

    /// The endpoint's side closes when it is done; the wire closes when the peer could read the answer.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .output where closing != .no: promise?.succeed()
        case .output where exchange == nil:
            finish(context: context)
            promise?.succeed()
        case .all where closing != .no: context.channel.closeFuture.cascade(to: promise)
        case .input: context.close(mode: .input, promise: promise)
        default: context.close(promise: promise)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stopClock()
        // Without this, a body cut short would look like a whole one.
        if exchange?.requestEnded == false { context.fireErrorCaught(Refusal.incompleteRequest) }
        exchange = nil
        context.fireChannelInactive()
    }
}

// MARK: The clock

// One coarse timer per connection, never rescheduled by a request.
extension HTTP1Connection: NIOScheduledCallbackHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { open(context: context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stopClock()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        open(context: context)
        context.fireChannelActive()
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        clock = nil
        guard let context, context.channel.isActive else { return }
        check(context: context)
        startClock(context: context)
    }

    private func open(context: ChannelHandlerContext) {
        deadlines = Deadlines(limits: configuration.limits, opened: .now())
        startClock(context: context)
        // A handshake may take until all others were told.
        if draining.isEnding { quiesce(context: context) }
    }

    private func check(context: ChannelHandlerContext) {
        let pending = context.channel.bufferedBytes
        switch deadlines.verdict(at: .now(), pending: pending, accepted: written - pending) {
        case nil: break
        case .idle, .writeStalled, .lingered: context.close(promise: nil)
        case .headTooSlow: refuse(.headTooSlow, context: context)
        case .bodyTooSlow: refuse(.bodyTooSlow, context: context)
        }
    }

    private func startClock(context: ChannelHandlerContext) {
        guard clock == nil else { return }
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

extension WireLimits {
    /// How often deadlines are checked: four times within the shortest, at most once a second.
    var resolution: TimeAmount {
        let shortest = min(headerTimeout, idleTimeout, bodyTimeout, bodyGrace, writeStallTimeout, lingerTimeout)
        return min(.seconds(1), max(.milliseconds(5), TimeAmount(shortest / 4)))
    }
}

extension Channel {
    /// Response bytes the kernel has not taken yet.
    var bufferedBytes: Int {
        // A channel without this option, or one already closed, has nothing waiting that a deadline could be about.
        (try? syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }
}
