import Foundation
import MartletSettings
import Testing

/// A working folder of one test's own, removed with it.
final class WorkFolder {
    let path: String

    init(_ files: [String: String] = [:]) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, text) in files { try write(text, to: name) }
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: path) } catch { print("left behind: \(path)") }
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
    }

    func load(_ environment: [String: String] = [:], flags: [String] = []) throws(SettingsFaults) -> Settings {
        try Settings.load(environment: environment, arguments: flags, folder: path)
    }

    func faults(_ environment: [String: String] = [:], flags: [String] = []) -> [SettingFault] {
        do {
            _ = try load(environment, flags: flags)
            return []
        } catch {
            return error.faults
        }
    }

    func permissions(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")[.posixPermissions] as? Int
    }
}

/// What a production server needs at least.
let production = [
    "ENVIRONMENT": "production",
    "SECRET_KEY": "k3Jd8-sPq0ZxW7vLr2TnYb5HfGm9Ce4AuQi1",
    "JWT_SECRET_KEY": "Vw6RtE2yU8iOp0aS4dF1gH3jK5lZ7xC9vBnM",
]

extension [String: String] {
    func with(_ name: String, _ value: String?) -> [String: String] {
        var copy = self
        copy[name] = value
        return copy
    }
}
