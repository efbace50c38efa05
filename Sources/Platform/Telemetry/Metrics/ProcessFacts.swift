import Foundation

/// What Linux tells of this process; nothing elsewhere. The names are those of every Prometheus client.
public struct ProcessFacts: Sendable {
    private let folder: String
    private let clockTick: Double
    private let pageSize: Double

    /// - Parameter folder: Where the kernel shows the process.
    public init(folder: String = "/proc/self") {
        self.folder = folder
        clockTick = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        pageSize = Double(max(1, sysconf(Int32(_SC_PAGESIZE))))
    }

    /// Adds what can be read at this moment.
    public func collect(into scrape: inout Scrape) {
        if let fields = statFields { add(fields, to: &scrape) }
        if let openDescriptors { scrape.set(.processDescriptors, openDescriptors) }
        if let mostDescriptors { scrape.set(.processMostDescriptors, mostDescriptors) }
    }

    /// How much memory the process has at this moment, in bytes.
    public var residentBytes: Double? {
        // Inaccurate where the kernel counts lazily (proc(5)), but it is what others read.
        read("statm")?.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 * pageSize }
    }

    /// How many files, sockets and the like are open.
    public var openDescriptors: Double? {
        // The folder itself is open while it is read.
        (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/fd").count).map { Double(max(0, $0 - 1)) }
    }

    /// How many may be open; infinite where there is no limit.
    public var mostDescriptors: Double? {
        let line = read("limits")?.split(separator: "\n").first { $0.hasPrefix("Max open files") }
        return line?.split(separator: " ").dropFirst(3).first.flatMap { $0 == "unlimited" ? .infinity : Double($0) }
    }

    /// The fields of proc(5), `stat`, from the third on: the second is the program's name, which may hold anything.
    private var statFields: [Substring]? {
        guard let text = read("stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 21 ? fields : nil
    }

    private func add(_ fields: [Substring], to scrape: inout Scrape) {
        func field(_ number: Int) -> Double? { Double(fields[number - 3]) }
        if let user = field(14), let system = field(15) { scrape.set(.processCPU, (user + system) / clockTick) }
        if let threads = field(20) { scrape.set(.processThreads, threads) }
        if let begun = field(22), let boot = bootTime { scrape.set(.processStart, boot + begun / clockTick) }
        if let bytes = field(23) { scrape.set(.processVirtual, bytes) }
        if let residentBytes { scrape.set(.processResident, residentBytes) }
    }

    private var bootTime: Double? {
        guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8) else { return nil }
        return text.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
    }

    private func read(_ name: String) -> String? {
        // What cannot be read is not told: a scrape does not fail for it.
        try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
    }
}
