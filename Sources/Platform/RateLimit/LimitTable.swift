/// Keys and their theoretical arrival times, of which there are never more than its capacity.
struct LimitTable: Sendable {
    private var places: [String: Int] = [:]
    private var entries: [Entry] = []
    private var cursor = 0
    private let capacity: Int

    private struct Entry {
        let key: String
        var arrival: Int64
    }

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { entries.count }

    mutating func take(_ demand: Demand, at now: Int64) -> Decision {
        let debt = debt(demand, at: now)
        let limit = GCRA(demand.rate)
        let isTaken = limit.admits(demand.weight, on: debt)
        if isTaken { add(demand, to: debt, at: now) }
        return limit.decision(demand.weight, on: debt, isTaken: isTaken)
    }

    func debt(_ demand: Demand, at now: Int64) -> Int64 {
        GCRA(demand.rate).debt(places[demand.key].map { entries[$0].arrival }, at: now)
    }

    mutating func add(_ demand: Demand, to debt: Int64, at now: Int64) {
        let limit = GCRA(demand.rate)
        set(demand.key, limit.arrival(after: debt + limit.cost(of: demand.weight), at: now))
        // Two for each that may have been added, so that the past is forgotten faster than it grows.
        for _ in 0..<2 { forget(at: now) }
    }

    private mutating func set(_ key: String, _ arrival: Int64) {
        if let place = places[key] {
            entries[place].arrival = arrival
            return
        }
        if entries.count >= capacity { makeRoom() }
        places[key] = entries.count
        entries.append(Entry(key: key, arrival: arrival))
    }

    /// Looks at one entry, and drops it when all of it has been given back: as if it had never been.
    private mutating func forget(at now: Int64) {
        if cursor >= entries.count { cursor = 0 }
        guard cursor < entries.count else { return }
        if entries[cursor].arrival <= now { remove(cursor) } else { cursor += 1 }
    }

    private mutating func makeRoom() {
        let sample = (0..<8).map { (cursor + $0 * max(1, entries.count / 8)) % entries.count }
        if let first = sample.min(by: { entries[$0].arrival < entries[$1].arrival }) { remove(first) }
        cursor += 1
    }

    private mutating func remove(_ place: Int) {
        places[entries[place].key] = nil
        let last = entries.removeLast()
        guard place < entries.count else { return }
        entries[place] = last
        places[last.key] = place
    }
}
