/// Which streams hear which channels, over one connection that comes and goes.
///
/// The server confirms each channel of a command in order; a channel is heard while nothing that was said about it is unconfirmed.
struct Subscriptions {
    enum Action: Hashable {
        case tell([RedisWord])
        case deliver(Int, RedisMessage)
    }

    private struct Stream {
        let channels: Set<String>
        var isTold = false
    }

    private var streams: [Int: Stream] = [:]
    /// How many streams hear a channel.
    private var listeners: [String: Int] = [:]
    /// Confirmations to come.
    private var unconfirmed: [String: Int] = [:]
    private var isConnected = false

    var isEmpty: Bool { streams.isEmpty }

    mutating func add(_ id: Int, _ channels: Set<String>) -> [Action] {
        streams[id] = Stream(channels: channels)
        let new = channels.filter { listeners[$0] == nil }
        for channel in channels { listeners[channel, default: 0] += 1 }
        return say("SUBSCRIBE", new) + tellReady()
    }

    mutating func remove(_ id: Int) -> [Action] {
        guard let stream = streams.removeValue(forKey: id) else { return [] }
        for channel in stream.channels { listeners[channel, default: 1] -= 1 }
        let unheard = stream.channels.filter { listeners[$0] == 0 }
        for channel in unheard { listeners[channel] = nil }
        return say("UNSUBSCRIBE", unheard)
    }

    mutating func connected() -> [Action] {
        isConnected = true
        return say("SUBSCRIBE", Set(listeners.keys))
    }

    mutating func lost() {
        (isConnected, unconfirmed) = (false, [:])
        for id in streams.keys { streams[id]?.isTold = false }
    }

    /// Ends every stream; answers which.
    mutating func close() -> [Int] {
        defer { (streams, listeners, unconfirmed) = ([:], [:], [:]) }
        return streams.keys.sorted()
    }

    mutating func heard(_ words: [RESPValue]) -> [Action] {
        guard words.count == 3, case .bytes(let kind) = words[0], case .bytes(let name) = words[1] else { return [] }
        let channel = String(decoding: name, as: UTF8.self)
        switch (String(decoding: kind, as: UTF8.self), words[2]) {
        case ("message", .bytes(let payload)): return deliver(channel, payload)
        case ("subscribe", _), ("unsubscribe", _): return confirmed(channel)
        default: return []
        }
    }

    private mutating func confirmed(_ channel: String) -> [Action] {
        guard let count = unconfirmed[channel] else { return [] }
        unconfirmed[channel] = count > 1 ? count - 1 : nil
        return tellReady()
    }

    private func deliver(_ channel: String, _ payload: [UInt8]) -> [Action] {
        streams.filter { $1.isTold && $1.channels.contains(channel) }.keys.sorted().map {
            .deliver($0, .message(channel: channel, payload: payload))
        }
    }

    private mutating func tellReady() -> [Action] {
        guard isConnected else { return [] }
        let ready = streams.filter { stream in !stream.value.isTold && stream.value.channels.allSatisfy { unconfirmed[$0] == nil } }.keys
        for id in ready { streams[id]?.isTold = true }
        return ready.sorted().map { .deliver($0, .subscribed) }
    }

    private mutating func say(_ verb: RedisWord, _ channels: Set<String>) -> [Action] {
        guard isConnected, !channels.isEmpty else { return [] }
        for channel in channels { unconfirmed[channel, default: 0] += 1 }
        return [.tell([verb] + channels.sorted().map { RedisWord($0) })]
    }
}
