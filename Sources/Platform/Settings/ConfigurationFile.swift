import Configuration
import Foundation
import Synchronization

/// A JSON or YAML file of settings, with the keys it holds.
struct ConfigurationFile {
    let snapshot: any ConfigSnapshot
    /// As written, nested ones joined by dots.
    let keys: [String]

    /// - Throws: a refusal when the file is of another type or cannot be read or parsed; the parsers' own words are left out
    ///   because they quote the text.
    init(path: String) throws(Refusal) {
        let data = try Self.contents(of: path)
        let keys = KeyList()
        do {
            switch URL(filePath: path).pathExtension.lowercased() {
            case "json":
                let options = JSONSnapshot.ParsingOptions(secretsSpecifier: .dynamic { key, _ in keys.note(key) })
                snapshot = try JSONSnapshot(data: data.span.bytes, providerName: path, parsingOptions: options)
            case "yaml", "yml":
                let options = YAMLSnapshot.ParsingOptions(secretsSpecifier: .dynamic { key, _ in keys.note(key) })
                snapshot = try YAMLSnapshot(data: data.span.bytes, providerName: path, parsingOptions: options)
            default: throw Refusal(repair: "Give a file whose name ends in .json, .yaml or .yml.")
            }
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal(
                repair: "Mend the file: it must be one JSON or YAML object of names with texts, numbers, booleans or lists of them.")
        }
        self.keys = keys.all.sorted()
    }

    private static func contents(of path: String) throws(Refusal) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw Refusal(repair: "Give the path of a file that this user may read.")
        }
    }
}

/// The keys of a file. The parsers do not list them, but ask about each whether its value is secret; all are treated as such.
private final class KeyList: Sendable {
    private let keys = Mutex<[String]>([])

    var all: [String] { keys.withLock { $0 } }

    func note(_ key: String) -> Bool {
        keys.withLock { $0.append(key) }
        return true
    }
}
