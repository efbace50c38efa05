/// One part of the memory tier: entries bounded in bytes, found by key and by tag. What has not been asked for lately leaves first (CLOCK:
/// F. J. Corbató, "A Paging Experiment with the Multics System", 1968).
struct MemoryShard: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Entry: Sendable {
        let form: (any Keepable)?
        let tags: [CacheTag]
        let made: Instant
        let freshUntil: Instant
        let staleUntil: Instant
    }

    private struct Slot {
        let key: String
        let entry: Entry
        let cost: Int
        var isReferenced = false
    }

    let capacity: Int
    private(set) var bytes = 0
    /// How many entries left for want of room.
    private(set) var displaced = 0
    private var slots: [Slot?] = []
    private var free: [Int] = []
    private var places: [String: Int] = [:]
    private var tagged: [CacheTag: Set<Int>] = [:]
    private var record: EvictionRecord
    private var hand = 0

    init(capacity: Int, evictionsRemembered: Int = 1024) {
        self.capacity = capacity
        record = EvictionRecord(capacity: evictionsRemembered)
    }

    var count: Int { places.count }
    /// How many tags the index holds.
    var tagCount: Int { tagged.count }
}

extension MemoryShard {
    /// The entry of a key, unless its time is over.
    mutating func entry(_ key: String, at now: Instant) -> Entry? {
        guard let place = places[key], let entry = slots[place]?.entry else { return nil }
        guard now < entry.staleUntil else {
            empty(place)
            return nil
        }
        slots[place]?.isReferenced = true
        return entry
    }

    /// Keeps an entry; `false` when one of its tags was evicted after `began`, and when it is too large.
    mutating func keep(_ entry: Entry, for key: String, since began: UInt64, at now: Instant) -> Bool {
        let cost = Self.cost(of: key, entry)
        guard record.isCurrent(entry.tags, since: began), cost <= capacity / 4 else { return false }
        if let place = places[key] { empty(place) }
        makeRoom(for: cost, at: now)
        let place = free.popLast() ?? slots.count
        if place == slots.count { slots.append(nil) }
        slots[place] = Slot(key: key, entry: entry, cost: cost)
        places[key] = place
        bytes += cost
        for tag in entry.tags { tagged[tag, default: []].insert(place) }
        return true
    }

    /// Removes what depends on one of the tags; returns how many entries that were.
    mutating func evict(_ tags: [CacheTag], at number: UInt64) -> Int {
        record.note(tags, at: number)
        let places = tags.reduce(into: Set<Int>()) { $0.formUnion(tagged[$1] ?? []) }
        for place in places { empty(place) }
        return places.count
    }

    mutating func evictAll(at number: UInt64) {
        record.noteAll(at: number)
        (bytes, slots, free, places, tagged, hand) = (0, [], [], [:], [:], 0)
    }

    mutating func remove(_ key: String) {
        if let place = places[key] { empty(place) }
    }

    func isCurrent(_ tags: [CacheTag], since number: UInt64) -> Bool { record.isCurrent(tags, since: number) }
}

extension MemoryShard {
    /// With what the dictionaries need beside it.
    static func cost(of key: String, _ entry: Entry) -> Int {
        let tags = entry.tags.reduce(0) { $0 + $1.name.utf8.count + 112 }
        return (entry.form?.byteCount ?? 0) + 2 * key.utf8.count + 224 + tags
    }

    private mutating func makeRoom(for cost: Int, at now: Instant) {
        while bytes + cost > capacity, !places.isEmpty {
            hand = (hand + 1) % slots.count
            guard let slot = slots[hand] else { continue }
            if slot.isReferenced, now < slot.entry.staleUntil {
                slots[hand]?.isReferenced = false
            } else {
                displaced += 1
                empty(hand)
            }
        }
    }

    private mutating func empty(_ place: Int) {
        guard let slot = slots[place] else { return }
        slots[place] = nil
        free.append(place)
        places[slot.key] = nil
        bytes -= slot.cost
        for tag in slot.entry.tags {
            tagged[tag]?.remove(place)
            if tagged[tag]?.isEmpty == true { tagged[tag] = nil }
        }
    }
}
