import HTTPTypes
import NIOCore
import NIOHTTPTypes

// The way out: response parts become bytes, as few writes as possible.
extension HTTP1Connection {
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard closing == .no, let exchange, !exchange.responseEnded else {
            // Refused or closed in the meantime: the response has no reader any more.
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let response): writeHead(response, exchange)
        case .body(let piece): encoder.body(piece) { put($0, context: context) }
        case .end: writeEnd(context: context)
        }
        if let promise { put(promise, context: context) }
    }

    func flush(context: ChannelHandlerContext) {
        writeOut(context: context)
        context.flush()
        resume(context: context)
    }

    /// The request pipeline's events for the wire.
    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        switch event {
        case WireEvent.sendContinue: sendContinue(context: context)
        case WireEvent.endWithInput: endWithInput(context: context)
        default: return context.triggerUserOutboundEvent(event, promise: promise)
        }
        promise?.succeed()
    }

    /// Answers by itself; the connection goes on with the next request. What is left of this one is read and dropped.
    func turnAway(_ response: HTTPResponse, _ body: ByteBuffer, context: ChannelHandlerContext) {
        exchange?.isTurnedAway = true
        guard let exchange else { return }
        writeHead(response, exchange)
        encoder.body(body) { put($0, context: context) }
        writeEnd(context: context)
    }

    /// Several answers leave together where several requests came together.
    func sendAnswersGivenHere(context: ChannelHandlerContext) {
        guard outbound.readableBytes > 0, closing == .no, exchange.map(\.isTurnedAway) ?? true else { return }
        writeOut(context: context)
        context.flush()
    }

    private func endWithInput(context: ChannelHandlerContext) {
        exchange?.endsWithInput = true
        if inputClosed { context.close(promise: nil) }
    }

    private func sendContinue(context: ChannelHandlerContext) {
        guard closing == .no, let exchange, exchange.awaitsContinue, !exchange.responseBegan else { return }
        self.exchange?.awaitsContinue = false
        deadlines.waits(true, at: .now())
        encoder.informational(.continue, [:], into: &outbound)
        flush(context: context)
    }

    private func writeHead(_ response: HTTPResponse, _ exchange: Exchange) {
        guard !exchange.responseBegan else { return }
        guard response.status.kind != .informational else {
            if !exchange.head.isHTTP10 { encoder.informational(response.status, response.headerFields, into: &outbound) }
            return
        }
        let closes = mustClose(after: response, exchange)
        let context = ResponseEncoder.Context(isHead: exchange.isHead, isHTTP10: exchange.head.isHTTP10, closes: closes)
        self.exchange?.responseBegan = true
        self.exchange?.closes = encoder.head(response, context, into: &outbound)
    }

    /// A response that overtakes its request's body says close when reading the rest could cost more than a new connection.
    private func mustClose(after response: HTTPResponse, _ exchange: Exchange) -> Bool {
        if !exchange.head.keepsOpen || exchange.closes || exchange.awaitsContinue { return true }
        if draining.isDraining || response.asksToClose { return true }
        guard !exchange.requestEnded else { return false }
        return reader.remainingLength.map { $0 > configuration.limits.maxLingerBytes } ?? true
    }

    private func writeEnd(context: ChannelHandlerContext) {
        guard let exchange, exchange.responseBegan else { return }
        let isWhole = encoder.end(into: &outbound)
        self.exchange?.responseEnded = true
        if exchange.closes || !isWhole {
            finish(context: context)
        } else if exchange.requestEnded {
            endExchange()
        }
    }
}

extension HTTP1Connection.Exchange {
    var isHead: Bool { head.request.method == .head }
}

// MARK: Bytes to the socket

extension HTTP1Connection {
    /// Small pieces are copied behind the head and leave with it; large ones are passed on as they are.
    private func put(_ piece: ByteBuffer, context: ChannelHandlerContext) {
        if piece.readableBytes <= 4_096 {
            outbound.writeImmutableBuffer(piece)
        } else {
            writeOut(context: context)
            written += piece.readableBytes
            context.write(wrapOutboundOut(piece), promise: nil)
        }
    }

    private func put(_ promise: EventLoopPromise<Void>, context: ChannelHandlerContext) {
        writeOut(context: context, promise: promise)
    }

    func writeOut(context: ChannelHandlerContext, promise: EventLoopPromise<Void>? = nil) {
        guard outbound.readableBytes > 0 || promise != nil else { return }
        written += outbound.readableBytes
        context.write(wrapOutboundOut(outbound), promise: promise)
        outbound = ByteBuffer()
    }
}
