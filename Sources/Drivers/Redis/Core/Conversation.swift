import NIOCore

/// One connection: greets the server, matches its answers to the commands in their order, and knows when one is overdue.
///
/// `Request` is who awaits answers. After an event `broken` the connection is to be closed: what arrived later could not be told apart.
struct Conversation<Request> {
    typealias Instant = ContinuousClock.Instant

    /// Commands sent together, and what has been answered of them.
    struct Exchange {
        /// `nil` for a question of our own, which only wants to know that the server is there.
        let request: Request?
        let count: Int
        let asked: Instant
        let deadline: Instant
        var replies: [RESPValue] = []
    }

    enum Event {
        /// The server serves.
        case greeted
        case answered(Request, [RESPValue])
        case pushed([RESPValue])
        case broken(RedisOutage)
    }

    private enum State { case greeting(Greeting), open, ended }

    /// Whether the connection hears messages: in RESP2 they come as arrays.
    let isSubscriber: Bool
    private var state: State
    private var greetingDeadline: Instant?
    private var exchanges = CircularBuffer<Exchange>()
    private var outgoing: [ByteBuffer] = []
    private(set) var lastHeard: Instant
    /// The commands that await an answer.
    private(set) var load = 0

    init(_ login: RedisLogin, isSubscriber: Bool = false, now: Instant, deadline: Instant) {
        self.isSubscriber = isSubscriber
        state = .greeting(Greeting(login))
        greetingDeadline = deadline
        lastHeard = now
    }

    var isIdle: Bool { exchanges.isEmpty }
    var hasOutgoing: Bool { !outgoing.isEmpty }
    var nextDeadline: Instant? { [greetingDeadline, exchanges.first?.deadline].compactMap(\.self).min() }
    /// Since when the longest waiting request has waited.
    var oldestAsked: Instant? { exchanges.first?.asked }

    /// What is to be written, in order.
    mutating func takeOutgoing() -> [ByteBuffer] {
        defer { outgoing = [] }
        return outgoing
    }
}

// MARK: Asking

extension Conversation {
    /// The bytes can flow.
    mutating func opened() {
        guard case .greeting(let greeting) = state else { return }
        outgoing.append(RESPEncoder.encode([greeting.first]))
    }

    mutating func ask(_ request: Request?, _ bytes: ByteBuffer, count: Int, now: Instant, deadline: Instant) {
        exchanges.append(Exchange(request: request, count: count, asked: now, deadline: deadline))
        load += count
        outgoing.append(bytes)
    }

    /// Says what has no answer of its own, such as `SUBSCRIBE`.
    mutating func tell(_ words: [RedisWord]) { outgoing.append(RESPEncoder.encode([words])) }

    mutating func ping(now: Instant, deadline: Instant) {
        ask(nil, RESPEncoder.encode([["PING"]]), count: 1, now: now, deadline: deadline)
    }

    /// Ends it; answers who still waited.
    mutating func end() -> [Request] {
        state = .ended
        greetingDeadline = nil
        defer { (exchanges, outgoing, load) = ([], [], 0) }
        return exchanges.compactMap(\.request)
    }
}

// MARK: Hearing

extension Conversation {
    mutating func receive(_ item: RESPItem, now: Instant) -> Event? {
        lastHeard = now
        switch (state, item) {
        case (.ended, _): return nil
        case (_, .push(let words)): return .pushed(words)
        case (.greeting(let greeting), .reply(let value)): return greet(greeting, value)
        case (.open, .reply(.array(let words))) where isSubscriber && Self.isMessage(words): return .pushed(words)
        case (.open, .reply(let value)): return answer(value)
        }
    }

    /// What is overdue ends the connection.
    func overdue(now: Instant) -> Bool { nextDeadline.map { $0 <= now } ?? false }

    private mutating func greet(_ greeting: Greeting, _ value: RESPValue) -> Event? {
        var greeting = greeting
        // Before the first word nothing can be an answer.
        guard !hasOutgoing else { return .broken(.nonsense(.surplus)) }
        do {
            if let words = try greeting.answered(value) {
                state = .greeting(greeting)
                outgoing.append(RESPEncoder.encode([words]))
                return nil
            }
        } catch {
            return .broken(error)
        }
        (state, greetingDeadline) = (.open, nil)
        return .greeted
    }

    private mutating func answer(_ value: RESPValue) -> Event? {
        guard !exchanges.isEmpty else { return .broken(.nonsense(.surplus)) }
        load -= 1
        exchanges[exchanges.startIndex].replies.append(value)
        guard let first = exchanges.first, first.replies.count == first.count else { return nil }
        exchanges.removeFirst()
        return first.request.map { .answered($0, first.replies) }
    }

    private static func isMessage(_ words: [RESPValue]) -> Bool {
        guard case .bytes(let first) = words.first else { return false }
        return messages.contains(String(decoding: first, as: UTF8.self))
    }
}

/// What begins the arrays that RESP2 sends unasked.
private let messages: Set<String> = ["message", "subscribe", "unsubscribe"]
