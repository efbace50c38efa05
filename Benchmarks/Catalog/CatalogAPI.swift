import Foundation
import MartletContract
import MartletCore

/// What the peers serve, served by Martlet: a shop's list of products, read from the database or kept ready.
struct CatalogAPI: API {
    static let shared = CatalogAPI()
    static let name = "catalog"

    let products = Endpoint<ProductQuery, ProductList>.get("/products", "List products", allow: .anyone)
    let kept = Endpoint<ProductQuery, ProductList>.get(
        "/cached/products", "List products, kept ready", allow: .anyone, cache: .for(300, tags: "products"))
}

struct ProductQuery: Codable, Sendable {
    var limit: ListLength?
}

struct ListLength: Parsed {
    static let schema = Schema.integer(1...100)
    static let example = 100
    let raw: Int

    init(_ raw: Int) throws(Fault) { self.raw = raw }
}

struct ProductList: Codable, Sendable {
    var items: [Product]
    var count: Int
    var limit: Int
}

struct Product: Codable, Sendable {
    var id: Int
    var sku: String
    var nameEn: String
    var nameAr: String
    var description: String
    var categoryId: Int
    var stock: Int
    var isActive: Bool
    var imageUrl: String
    var updatedAt: Date
    var priceCents: Int
    var currency: String
}
