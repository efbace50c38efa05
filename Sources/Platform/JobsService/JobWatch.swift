import MartletCore
import MartletHTTP
import MartletJobs
import MartletJobsAPI
import MartletStorage
import Synchronization

/// Tells those who follow jobs what happens to them. One reader of the outbox serves all of a process: a listener costs no query while it
/// listens, and an event is encoded once.
final class JobWatch: Sendable {
    private let database: any Database
    private let register: JobRegister
    private let tail: OutboxTail
    private let listeners = Mutex<[String: [ObjectIdentifier: Listener]]>([:])

    init(_ database: any Database, _ register: JobRegister, _ tail: OutboxTail) {
        (self.database, self.register, self.tail) = (database, register, tail)
        tail.subscribe(JobRegister.eventTopic) { [weak self] in self?.hear($0) }
    }

    /// What happens to a job from now on, or from behind an event; `nil` when its listener has heard the end. Throws `notFound` for a job
    /// that is not the owner's.
    func follow(_ id: Identifier<JobRecord>, owner: Identifier<Account>, after last: String?) async throws -> EventFeed? {
        let listener = Listener()
        await tail.hasBegun()
        // Before looking, so that nothing falls between.
        add(listener, to: id.description)
        do {
            let feed = try await begin(listener, id, owner, after: last.map(EventPlace.init))
            if feed == nil { remove(listener, from: id.description) }
            return feed
        } catch {
            remove(listener, from: id.description)
            throw error
        }
    }

    private func begin(
        _ listener: Listener, _ id: Identifier<JobRecord>, _ owner: Identifier<Account>, after place: EventPlace?
    ) async throws -> EventFeed? {
        var missed = try await missed(id, after: place)
        let status = try await register.find(id, owner: owner)
        // A report may be written a moment after the end.
        if status.state.isFinished, let end = try missed.lastIndex(where: { try $0.event.state.isFinished }) {
            missed = Array(missed[...end])
        }
        if status.state.isFinished, place?.isEnd == true { return nil }
        // Those who come for the first time hear where the job is, and not how it came there.
        var frames = place == nil ? [] : try missed.map { try $0.frame }
        let hasEnd = try missed.contains { try $0.event.state.isFinished }
        if place == nil || (status.state.isFinished && !hasEnd) {
            frames.append(try JobEvent(status).frame(at: missed.last?.position ?? place?.position ?? 0))
        }
        let (feed, sender) = EventFeed.open(after: frames)
        sender.onEnd { [weak self] in self?.remove(listener, from: id.description) }
        if status.state.isFinished { sender.finish() } else { listener.begin(sender, without: missed.map(\.position)) }
        return feed
    }

    /// What was told since the place; without one, the newest of all that was told.
    private func missed(_ id: Identifier<JobRecord>, after place: EventPlace?) async throws -> [OutboxEntry] {
        let (topic, key) = (JobRegister.eventTopic, id.description)
        guard let place else { return [try await Outbox.last(topic, key: key, in: database)].compactMap { $0 } }
        return try await Outbox.entries(topic, key: key, after: place.position, limit: Self.mostMissed, in: database)
    }

    private static let mostMissed = 1_000

    // MARK: Listeners

    private func hear(_ entry: OutboxEntry) {
        let listening = listeners.withLock { $0[entry.key].map { Array($0.values) } }
        guard let listening else { return }
        do {
            let (frame, isLast) = (try entry.frame, try entry.event.state.isFinished)
            for listener in listening { listener.hear(frame, entry.position, isLast: isLast) }
        } catch {
            // Another version's event: who listens comes back, and hears where the job is.
            for listener in listening { listener.leave() }
        }
    }

    private func add(_ listener: Listener, to key: String) {
        listeners.withLock { $0[key, default: [:]][ObjectIdentifier(listener)] = listener }
    }

    private func remove(_ listener: Listener, from key: String) {
        listeners.withLock { listeners in
            listeners[key]?[ObjectIdentifier(listener)] = nil
            if listeners[key]?.isEmpty == true { listeners[key] = nil }
        }
    }

    var listenerCount: Int { listeners.withLock { $0.values.reduce(0) { $0 + $1.count } } }
}

/// One who follows a job. What happens before it is known what was missed waits for that.
private final class Listener: Sendable {
    private struct Heard { let frame: EventFrame, position: Int64, isLast: Bool }
    private struct State {
        var sender: EventSender?
        var held: [Heard] = []
        /// Few, if any: those that were read at the beginning.
        var known: [Int64] = []
    }
    private let state = Mutex(State())

    func hear(_ frame: EventFrame, _ position: Int64, isLast: Bool) {
        let heard = Heard(frame: frame, position: position, isLast: isLast)
        state.withLock { state in
            guard let sender = state.sender else { return state.held.append(heard) }
            if !state.known.contains(position) { Self.send(heard, to: sender) }
        }
    }

    func leave() {
        state.withLock { $0.sender }?.finish()
    }

    func begin(_ sender: EventSender, without known: [Int64]) {
        state.withLock { state in
            (state.sender, state.known) = (sender, known)
            for heard in state.held where !known.contains(heard.position) { Self.send(heard, to: sender) }
            state.held = []
        }
    }

    private static func send(_ heard: Heard, to sender: EventSender) {
        sender.send(heard.frame)
        if heard.isLast { sender.finish() }
    }
}

/// Where in a job's events a listener is, as `Last-Event-ID` says: a position, and whether that was the end.
private struct EventPlace {
    let position: Int64
    let isEnd: Bool

    /// What is no place of ours is the beginning.
    init(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 1)
        position = parts.first.flatMap { Int64($0) } ?? 0
        isEnd = parts.count == 2 && parts[1] == "end"
    }
}

extension OutboxEntry {
    fileprivate var event: JobEvent { get throws { try payload(as: JobEvent.self) } }
    fileprivate var frame: EventFrame { get throws { try event.frame(at: position) } }
}

extension JobEvent {
    fileprivate init(_ status: JobStatus) {
        self.init(state: status.state, progress: status.progress, message: status.message ?? status.error)
    }

    fileprivate func frame(at position: Int64) throws -> EventFrame {
        try .encode(id: state.isFinished ? "\(position).end" : "\(position)", self)
    }
}
