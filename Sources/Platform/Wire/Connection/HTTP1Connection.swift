import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// One HTTP/1.1 connection: bytes on the socket's side, request and response parts on the endpoint's.
///
/// It only carries out what its pure parts decide: ``RequestReader`` (framing in), ``ResponseEncoder`` (framing out) and
/// ``Deadlines`` (time). One request is with the endpoint at a time. What a client sends ahead waits unparsed, so
/// a request that comes after a refused or closing one is never carried out.
///
/// This file is the way in; the way out, the end and the clock are in the extensions beside it.
final class HTTP1Connection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = ByteBuffer

    /// A request with the endpoint, and its response.
    struct Exchange {
        let head: RequestHead
        var requestEnded = false
        var responseBegan = false
        var responseEnded = false
        var closes = false
        var endsWithInput = false
        /// Whether it was answered here, so that the endpoint does not know of it.
        var isTurnedAway = false
        /// Whether the client still waits for `100 Continue`.
        var awaitsContinue: Bool
    }

    /// The last answer is written; nothing is parsed any more.
    enum Closing { case no, flushing, lingering }

    let configuration: WireConfiguration
    let draining: Draining
    var reader: RequestReader
    var encoder = ResponseEncoder()
    var deadlines: Deadlines
    var exchange: Exchange?
    var closing = Closing.no
    /// Bytes received and not yet parsed, and the small parts of a response not yet written.
    var inbound = ByteBuffer()
    var outbound = ByteBuffer()
    /// Bytes handed to the socket, and bytes discarded while closing.
    var written = 0
    var discarded = 0
    /// Exchanges that are complete.
    var answered = 0
    var inputClosed = false
    var clock: NIOScheduledCallback?
    var context: ChannelHandlerContext?
    private var readWithheld = false
    private var waitingBody = ByteBuffer()

    init(configuration: WireConfiguration, draining: Draining, isSecure: Bool) {
        self.configuration = configuration
        self.draining = draining
        reader = RequestReader(limits: configuration.limits, isSecure: isSecure)
        deadlines = Deadlines(limits: configuration.limits, opened: .now())
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard closing == .no else { return discard(bytes.readableBytes, context: context) }
        if inbound.readableBytes == 0 { inbound = bytes } else { inbound.writeBuffer(&bytes) }
        parse(context: context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if closing != .no { return context.read() }
        deadlines.waits(false, at: exchange == nil ? .uptimeNanoseconds(0) : .now())
        context.fireChannelReadComplete()
    }

    /// The endpoint's side asks for more only while it keeps up; so the time until bytes come is the peer's.
    func read(context: ChannelHandlerContext) {
        guard inbound.readableBytes < configuration.limits.maxReadAheadBytes || mayParse else {
            readWithheld = true
            return
        }
        if let exchange, !exchange.requestEnded, !exchange.awaitsContinue { deadlines.waits(true, at: .now()) }
        context.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: inputEnded(context: context)
        case is ChannelShouldQuiesceEvent: quiesce(context: context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }
}

// MARK: Requests

extension HTTP1Connection {
    private var mayParse: Bool { closing == .no && exchange?.requestEnded != true }

    /// Hands on every part that is whole, until the current request ends or bytes run out.
    private func parse(context: ChannelHandlerContext) {
        do {
            while mayParse, try parseOne(context: context) {}
            handOverBody(context: context)
            sendAnswersGivenHere(context: context)
        } catch {
            handOverBody(context: context)
            refuse(error, context: context)
        }
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
    }

    private func parseOne(context: ChannelHandlerContext) throws(Refusal) -> Bool {
        switch try reader.next(&inbound) {
        case .needsMore:
            if reader.isInsideHead { deadlines.headBegan(at: .now()) }
            return false
        case .head(let head): begin(head, context: context)
        case .body(let piece): take(piece, context: context)
        case .end: endRequest(context: context)
        }
        return true
    }

    private func begin(_ head: RequestHead, context: ChannelHandlerContext) {
        exchange = Exchange(head: head, awaitsContinue: head.expectsContinue)
        if head.body != .none { deadlines.bodyBegan() }
        if head.body.isAtMost(configuration.limits.maxLingerBytes), let answer = configuration.turnAway(head.request, context.channel) {
            return turnAway(answer.0, answer.1, context: context)
        }
        context.fireChannelRead(wrapInboundOut(.head(head.request)))
    }

    /// Small pieces of one read are joined, so that a body of one-byte chunks costs as many parts as it has reads.
    private func take(_ piece: ByteBuffer, context: ChannelHandlerContext) {
        exchange?.awaitsContinue = false
        deadlines.bodyArrived(piece.readableBytes)
        guard exchange?.isTurnedAway != true else { return }
        if waitingBody.readableBytes > 0, piece.readableBytes < 1_024 {
            waitingBody.writeImmutableBuffer(piece)
        } else {
            handOverBody(context: context)
            waitingBody = piece
        }
    }

    private func handOverBody(context: ChannelHandlerContext) {
        guard waitingBody.readableBytes > 0 else { return }
        context.fireChannelRead(wrapInboundOut(.body(waitingBody)))
        waitingBody = ByteBuffer()
    }

    private func endRequest(context: ChannelHandlerContext) {
        handOverBody(context: context)
        exchange?.requestEnded = true
        deadlines.requestEnded()
        if exchange?.isTurnedAway != true { context.fireChannelRead(wrapInboundOut(.end(nil))) }
        if exchange?.responseEnded == true { endExchange() }
    }

    /// Both sides are complete: the connection is free for the next request.
    func endExchange() {
        exchange = nil
        answered += 1
        deadlines.exchangeEnded(at: .now())
    }

    /// After a response left: goes on with what the client sent ahead.
    func resume(context: ChannelHandlerContext) {
        guard exchange == nil, closing == .no else { return }
        if inbound.readableBytes > 0 {
            parse(context: context)
            context.fireChannelReadComplete()
        }
        if inputClosed { inputEnded(context: context) }
        if readWithheld, mayParse {
            readWithheld = false
            context.read()
        }
    }
}

// MARK: The end of the peer's bytes

extension HTTP1Connection {
    /// The peer will send no more: a whole request is still answered, an incomplete one is refused.
    private func inputEnded(context: ChannelHandlerContext) {
        inputClosed = true
        switch (closing, exchange) {
        case (.lingering, _): context.close(promise: nil)
        case (.flushing, _): break
        case (.no, let exchange?) where exchange.endsWithInput: context.close(promise: nil)
        case (.no, let exchange?) where exchange.requestEnded: announceEnd(context: context)
        case (.no, .some): refuse(.incompleteRequest, context: context)
        case (.no, nil) where reader.isInsideHead: refuse(.incompleteRequest, context: context)
        case (.no, nil): context.close(promise: nil)
        }
    }

    /// Tells the endpoint, unless requests sent ahead are still to be answered.
    private func announceEnd(context: ChannelHandlerContext) {
        guard inbound.readableBytes == 0 else { return }
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    /// The server stops: idle connections close, the others after the response under way.
    func quiesce(context: ChannelHandlerContext) {
        guard closing == .no else { return }
        draining.begin()
        if isIdle { closeSoon(context: context) } else { exchange?.closes = true }
    }

    private var isIdle: Bool { exchange == nil && !reader.isInsideHead && inbound.readableBytes == 0 }

    /// A request may be on its way, or wait in the socket while the event loop is busy. So the socket is looked at first, at a moment of each
    /// connection's own; and one that was opened for a request has a little longer to send it. Whatever comes is answered, and closes.
    private func closeSoon(context: ChannelHandlerContext) {
        let pause = answered == 0 ? TimeAmount(configuration.limits.firstRequestGrace) : .milliseconds(.random(in: 10...60))
        context.eventLoop.assumeIsolated().scheduleTask(in: pause) {
            guard let context = self.context, self.closing == .no, self.isIdle else { return }
            self.finish(context: context)
        }
    }
}
