// node_modules/@lit/reactive-element/css-tag.js
var e = globalThis, t = e.ShadowRoot && (e.ShadyCSS === void 0 || e.ShadyCSS.nativeShadow) && "adoptedStyleSheets" in Document.prototype && "replace" in CSSStyleSheet.prototype, n = Symbol(), r = /* @__PURE__ */ new WeakMap(), i = class {
	constructor(e, t, r) {
		if (this._$cssResult$ = !0, r !== n) throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");
		this.cssText = e, this.t = t;
	}
	get styleSheet() {
		let e = this.o, n = this.t;
		if (t && e === void 0) {
			let t = n !== void 0 && n.length === 1;
			t && (e = r.get(n)), e === void 0 && ((this.o = e = new CSSStyleSheet()).replaceSync(this.cssText), t && r.set(n, e));
		}
		return e;
	}
	toString() {
		return this.cssText;
	}
}, a = (e) => new i(typeof e == "string" ? e : e + "", void 0, n), o = (e, ...t) => new i(e.length === 1 ? e[0] : t.reduce((t, n, r) => t + ((e) => {
	if (!0 === e._$cssResult$) return e.cssText;
	if (typeof e == "number") return e;
	throw Error("Value passed to 'css' function must be a 'css' function result: " + e + ". Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.");
})(n) + e[r + 1], e[0]), e, n), s = (n, r) => {
	if (t) n.adoptedStyleSheets = r.map((e) => e instanceof CSSStyleSheet ? e : e.styleSheet);
	else for (let t of r) {
		let r = document.createElement("style"), i = e.litNonce;
		i !== void 0 && r.setAttribute("nonce", i), r.textContent = t.cssText, n.appendChild(r);
	}
}, c = t ? (e) => e : (e) => e instanceof CSSStyleSheet ? ((e) => {
	let t = "";
	for (let n of e.cssRules) t += n.cssText;
	return a(t);
})(e) : e, { is: l, defineProperty: u, getOwnPropertyDescriptor: d, getOwnPropertyNames: f, getOwnPropertySymbols: p, getPrototypeOf: m } = Object, ee = globalThis, te = ee.trustedTypes, ne = te ? te.emptyScript : "", re = ee.reactiveElementPolyfillSupport, h = (e, t) => e, ie = {
	toAttribute(e, t) {
		switch (t) {
			case Boolean:
				e = e ? ne : null;
				break;
			case Object:
			case Array: e = e == null ? e : JSON.stringify(e);
		}
		return e;
	},
	fromAttribute(e, t) {
		let n = e;
		switch (t) {
			case Boolean:
				n = e !== null;
				break;
			case Number:
				n = e === null ? null : Number(e);
				break;
			case Object:
			case Array: try {
				n = JSON.parse(e);
			} catch {
				n = null;
			}
		}
		return n;
	}
}, ae = (e, t) => !l(e, t), oe = {
	attribute: !0,
	type: String,
	converter: ie,
	reflect: !1,
	useDefault: !1,
	hasChanged: ae
};
Symbol.metadata ??= Symbol("metadata"), ee.litPropertyMetadata ??= /* @__PURE__ */ new WeakMap();
var g = class extends HTMLElement {
	static addInitializer(e) {
		this._$Ei(), (this.l ??= []).push(e);
	}
	static get observedAttributes() {
		return this.finalize(), this._$Eh && [...this._$Eh.keys()];
	}
	static createProperty(e, t = oe) {
		if (t.state && (t.attribute = !1), this._$Ei(), this.prototype.hasOwnProperty(e) && ((t = Object.create(t)).wrapped = !0), this.elementProperties.set(e, t), !t.noAccessor) {
			let n = Symbol(), r = this.getPropertyDescriptor(e, n, t);
			r !== void 0 && u(this.prototype, e, r);
		}
	}
	static getPropertyDescriptor(e, t, n) {
		let { get: r, set: i } = d(this.prototype, e) ?? {
			get() {
				return this[t];
			},
			set(e) {
				this[t] = e;
			}
		};
		return {
			get: r,
			set(t) {
				let a = r?.call(this);
				i?.call(this, t), this.requestUpdate(e, a, n);
			},
			configurable: !0,
			enumerable: !0
		};
	}
	static getPropertyOptions(e) {
		return this.elementProperties.get(e) ?? oe;
	}
	static _$Ei() {
		if (this.hasOwnProperty(h("elementProperties"))) return;
		let e = m(this);
		e.finalize(), e.l !== void 0 && (this.l = [...e.l]), this.elementProperties = new Map(e.elementProperties);
	}
	static finalize() {
		if (this.hasOwnProperty(h("finalized"))) return;
		if (this.finalized = !0, this._$Ei(), this.hasOwnProperty(h("properties"))) {
			let e = this.properties, t = [...f(e), ...p(e)];
			for (let n of t) this.createProperty(n, e[n]);
		}
		let e = this[Symbol.metadata];
		if (e !== null) {
			let t = litPropertyMetadata.get(e);
			if (t !== void 0) for (let [e, n] of t) this.elementProperties.set(e, n);
		}
		this._$Eh = /* @__PURE__ */ new Map();
		for (let [e, t] of this.elementProperties) {
			let n = this._$Eu(e, t);
			n !== void 0 && this._$Eh.set(n, e);
		}
		this.elementStyles = this.finalizeStyles(this.styles);
	}
	static finalizeStyles(e) {
		let t = [];
		if (Array.isArray(e)) {
			let n = new Set(e.flat(1 / 0).reverse());
			for (let e of n) t.unshift(c(e));
		} else e !== void 0 && t.push(c(e));
		return t;
	}
	static _$Eu(e, t) {
		let n = t.attribute;
		return !1 === n ? void 0 : typeof n == "string" ? n : typeof e == "string" ? e.toLowerCase() : void 0;
	}
	constructor() {
		super(), this._$Ep = void 0, this.isUpdatePending = !1, this.hasUpdated = !1, this._$Em = null, this._$Ev();
	}
	_$Ev() {
		this._$ES = new Promise((e) => this.enableUpdating = e), this._$AL = /* @__PURE__ */ new Map(), this._$E_(), this.requestUpdate(), this.constructor.l?.forEach((e) => e(this));
	}
	addController(e) {
		(this._$EO ??= /* @__PURE__ */ new Set()).add(e), this.renderRoot !== void 0 && this.isConnected && e.hostConnected?.();
	}
	removeController(e) {
		this._$EO?.delete(e);
	}
	_$E_() {
		let e = /* @__PURE__ */ new Map(), t = this.constructor.elementProperties;
		for (let n of t.keys()) this.hasOwnProperty(n) && (e.set(n, this[n]), delete this[n]);
		e.size > 0 && (this._$Ep = e);
	}
	createRenderRoot() {
		let e = this.shadowRoot ?? this.attachShadow(this.constructor.shadowRootOptions);
		return s(e, this.constructor.elementStyles), e;
	}
	connectedCallback() {
		this.renderRoot ??= this.createRenderRoot(), this.enableUpdating(!0), this._$EO?.forEach((e) => e.hostConnected?.());
	}
	enableUpdating(e) {}
	disconnectedCallback() {
		this._$EO?.forEach((e) => e.hostDisconnected?.());
	}
	attributeChangedCallback(e, t, n) {
		this._$AK(e, n);
	}
	_$ET(e, t) {
		let n = this.constructor.elementProperties.get(e), r = this.constructor._$Eu(e, n);
		if (r !== void 0 && !0 === n.reflect) {
			let i = (n.converter?.toAttribute === void 0 ? ie : n.converter).toAttribute(t, n.type);
			this._$Em = e, i == null ? this.removeAttribute(r) : this.setAttribute(r, i), this._$Em = null;
		}
	}
	_$AK(e, t) {
		let n = this.constructor, r = n._$Eh.get(e);
		if (r !== void 0 && this._$Em !== r) {
			let e = n.getPropertyOptions(r), i = typeof e.converter == "function" ? { fromAttribute: e.converter } : e.converter?.fromAttribute === void 0 ? ie : e.converter;
			this._$Em = r;
			let a = i.fromAttribute(t, e.type);
			this[r] = a ?? this._$Ej?.get(r) ?? a, this._$Em = null;
		}
	}
	requestUpdate(e, t, n, r = !1, i) {
		if (e !== void 0) {
			let a = this.constructor;
			if (!1 === r && (i = this[e]), n ??= a.getPropertyOptions(e), !((n.hasChanged ?? ae)(i, t) || n.useDefault && n.reflect && i === this._$Ej?.get(e) && !this.hasAttribute(a._$Eu(e, n)))) return;
			this.C(e, t, n);
		}
		!1 === this.isUpdatePending && (this._$ES = this._$EP());
	}
	C(e, t, { useDefault: n, reflect: r, wrapped: i }, a) {
		n && !(this._$Ej ??= /* @__PURE__ */ new Map()).has(e) && (this._$Ej.set(e, a ?? t ?? this[e]), !0 !== i || a !== void 0) || (this._$AL.has(e) || (this.hasUpdated || n || (t = void 0), this._$AL.set(e, t)), !0 === r && this._$Em !== e && (this._$Eq ??= /* @__PURE__ */ new Set()).add(e));
	}
	async _$EP() {
		this.isUpdatePending = !0;
		try {
			await this._$ES;
		} catch (e) {
			Promise.reject(e);
		}
		let e = this.scheduleUpdate();
		return e != null && await e, !this.isUpdatePending;
	}
	scheduleUpdate() {
		return this.performUpdate();
	}
	performUpdate() {
		if (!this.isUpdatePending) return;
		if (!this.hasUpdated) {
			if (this.renderRoot ??= this.createRenderRoot(), this._$Ep) {
				for (let [e, t] of this._$Ep) this[e] = t;
				this._$Ep = void 0;
			}
			let e = this.constructor.elementProperties;
			if (e.size > 0) for (let [t, n] of e) {
				let { wrapped: e } = n, r = this[t];
				!0 !== e || this._$AL.has(t) || r === void 0 || this.C(t, void 0, n, r);
			}
		}
		let e = !1, t = this._$AL;
		try {
			e = this.shouldUpdate(t), e ? (this.willUpdate(t), this._$EO?.forEach((e) => e.hostUpdate?.()), this.update(t)) : this._$EM();
		} catch (t) {
			throw e = !1, this._$EM(), t;
		}
		e && this._$AE(t);
	}
	willUpdate(e) {}
	_$AE(e) {
		this._$EO?.forEach((e) => e.hostUpdated?.()), this.hasUpdated || (this.hasUpdated = !0, this.firstUpdated(e)), this.updated(e);
	}
	_$EM() {
		this._$AL = /* @__PURE__ */ new Map(), this.isUpdatePending = !1;
	}
	get updateComplete() {
		return this.getUpdateComplete();
	}
	getUpdateComplete() {
		return this._$ES;
	}
	shouldUpdate(e) {
		return !0;
	}
	update(e) {
		this._$Eq &&= this._$Eq.forEach((e) => this._$ET(e, this[e])), this._$EM();
	}
	updated(e) {}
	firstUpdated(e) {}
};
g.elementStyles = [], g.shadowRootOptions = { mode: "open" }, g[h("elementProperties")] = /* @__PURE__ */ new Map(), g[h("finalized")] = /* @__PURE__ */ new Map(), re?.({ ReactiveElement: g }), (ee.reactiveElementVersions ??= []).push("2.1.2");
// node_modules/lit-html/lit-html.js
var se = globalThis, ce = (e) => e, _ = se.trustedTypes, le = _ ? _.createPolicy("lit-html", { createHTML: (e) => e }) : void 0, ue = "$lit$", v = `lit$${Math.random().toFixed(9).slice(2)}$`, de = "?" + v, fe = `<${de}>`, y = document, b = () => y.createComment(""), x = (e) => e === null || typeof e != "object" && typeof e != "function", pe = Array.isArray, me = (e) => pe(e) || typeof e?.[Symbol.iterator] == "function", he = "[ 	\n\f\r]", S = /<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g, ge = /-->/g, _e = />/g, C = RegExp(`>|${he}(?:([^\\s"'>=/]+)(${he}*=${he}*(?:[^ \t\n\f\r"'\`<>=]|("|')|))|$)`, "g"), ve = /'/g, ye = /"/g, be = /^(?:script|style|textarea|title)$/i, xe = (e) => (t, ...n) => ({
	_$litType$: e,
	strings: t,
	values: n
}), w = xe(1), T = xe(2), E = Symbol.for("lit-noChange"), D = Symbol.for("lit-nothing"), Se = /* @__PURE__ */ new WeakMap(), O = y.createTreeWalker(y, 129);
function Ce(e, t) {
	if (!pe(e) || !e.hasOwnProperty("raw")) throw Error("invalid template strings array");
	return le === void 0 ? t : le.createHTML(t);
}
var we = (e, t) => {
	let n = e.length - 1, r = [], i, a = t === 2 ? "<svg>" : t === 3 ? "<math>" : "", o = S;
	for (let t = 0; t < n; t++) {
		let n = e[t], s, c, l = -1, u = 0;
		for (; u < n.length && (o.lastIndex = u, c = o.exec(n), c !== null);) u = o.lastIndex, o === S ? c[1] === "!--" ? o = ge : c[1] === void 0 ? c[2] === void 0 ? c[3] !== void 0 && (o = C) : (be.test(c[2]) && (i = RegExp("</" + c[2], "g")), o = C) : o = _e : o === C ? c[0] === ">" ? (o = i ?? S, l = -1) : c[1] === void 0 ? l = -2 : (l = o.lastIndex - c[2].length, s = c[1], o = c[3] === void 0 ? C : c[3] === "\"" ? ye : ve) : o === ye || o === ve ? o = C : o === ge || o === _e ? o = S : (o = C, i = void 0);
		let d = o === C && e[t + 1].startsWith("/>") ? " " : "";
		a += o === S ? n + fe : l >= 0 ? (r.push(s), n.slice(0, l) + ue + n.slice(l) + v + d) : n + v + (l === -2 ? t : d);
	}
	return [Ce(e, a + (e[n] || "<?>") + (t === 2 ? "</svg>" : t === 3 ? "</math>" : "")), r];
}, Te = class e {
	constructor({ strings: t, _$litType$: n }, r) {
		let i;
		this.parts = [];
		let a = 0, o = 0, s = t.length - 1, c = this.parts, [l, u] = we(t, n);
		if (this.el = e.createElement(l, r), O.currentNode = this.el.content, n === 2 || n === 3) {
			let e = this.el.content.firstChild;
			e.replaceWith(...e.childNodes);
		}
		for (; (i = O.nextNode()) !== null && c.length < s;) {
			if (i.nodeType === 1) {
				if (i.hasAttributes()) for (let e of i.getAttributeNames()) if (e.endsWith(ue)) {
					let t = u[o++], n = i.getAttribute(e).split(v), r = /([.?@])?(.*)/.exec(t);
					c.push({
						type: 1,
						index: a,
						name: r[2],
						strings: n,
						ctor: r[1] === "." ? Oe : r[1] === "?" ? ke : r[1] === "@" ? Ae : A
					}), i.removeAttribute(e);
				} else e.startsWith(v) && (c.push({
					type: 6,
					index: a
				}), i.removeAttribute(e));
				if (be.test(i.tagName)) {
					let e = i.textContent.split(v), t = e.length - 1;
					if (t > 0) {
						i.textContent = _ ? _.emptyScript : "";
						for (let n = 0; n < t; n++) i.append(e[n], b()), O.nextNode(), c.push({
							type: 2,
							index: ++a
						});
						i.append(e[t], b());
					}
				}
			} else if (i.nodeType === 8) {
				if (i.data === de) c.push({
					type: 2,
					index: a
				});
				else {
					let e = -1;
					for (; (e = i.data.indexOf(v, e + 1)) !== -1;) c.push({
						type: 7,
						index: a
					}), e += v.length - 1;
				}
			}
			a++;
		}
	}
	static createElement(e, t) {
		let n = y.createElement("template");
		return n.innerHTML = e, n;
	}
};
function k(e, t, n = e, r) {
	if (t === E) return t;
	let i = r === void 0 ? n._$Cl : n._$Co?.[r], a = x(t) ? void 0 : t._$litDirective$;
	return i?.constructor !== a && (i?._$AO?.(!1), a === void 0 ? i = void 0 : (i = new a(e), i._$AT(e, n, r)), r === void 0 ? n._$Cl = i : (n._$Co ??= [])[r] = i), i !== void 0 && (t = k(e, i._$AS(e, t.values), i, r)), t;
}
var Ee = class {
	constructor(e, t) {
		this._$AV = [], this._$AN = void 0, this._$AD = e, this._$AM = t;
	}
	get parentNode() {
		return this._$AM.parentNode;
	}
	get _$AU() {
		return this._$AM._$AU;
	}
	u(e) {
		let { el: { content: t }, parts: n } = this._$AD, r = (e?.creationScope ?? y).importNode(t, !0);
		O.currentNode = r;
		let i = O.nextNode(), a = 0, o = 0, s = n[0];
		for (; s !== void 0;) {
			if (a === s.index) {
				let t;
				s.type === 2 ? t = new De(i, i.nextSibling, this, e) : s.type === 1 ? t = new s.ctor(i, s.name, s.strings, this, e) : s.type === 6 && (t = new je(i, this, e)), this._$AV.push(t), s = n[++o];
			}
			a !== s?.index && (i = O.nextNode(), a++);
		}
		return O.currentNode = y, r;
	}
	p(e) {
		let t = 0;
		for (let n of this._$AV) n !== void 0 && (n.strings === void 0 ? n._$AI(e[t]) : (n._$AI(e, n, t), t += n.strings.length - 2)), t++;
	}
}, De = class e {
	get _$AU() {
		return this._$AM?._$AU ?? this._$Cv;
	}
	constructor(e, t, n, r) {
		this.type = 2, this._$AH = D, this._$AN = void 0, this._$AA = e, this._$AB = t, this._$AM = n, this.options = r, this._$Cv = r?.isConnected ?? !0;
	}
	get parentNode() {
		let e = this._$AA.parentNode, t = this._$AM;
		return t !== void 0 && e?.nodeType === 11 && (e = t.parentNode), e;
	}
	get startNode() {
		return this._$AA;
	}
	get endNode() {
		return this._$AB;
	}
	_$AI(e, t = this) {
		e = k(this, e, t), x(e) ? e === D || e == null || e === "" ? (this._$AH !== D && this._$AR(), this._$AH = D) : e !== this._$AH && e !== E && this._(e) : e._$litType$ === void 0 ? e.nodeType === void 0 ? me(e) ? this.k(e) : this._(e) : this.T(e) : this.$(e);
	}
	O(e) {
		return this._$AA.parentNode.insertBefore(e, this._$AB);
	}
	T(e) {
		this._$AH !== e && (this._$AR(), this._$AH = this.O(e));
	}
	_(e) {
		this._$AH !== D && x(this._$AH) ? this._$AA.nextSibling.data = e : this.T(y.createTextNode(e)), this._$AH = e;
	}
	$(e) {
		let { values: t, _$litType$: n } = e, r = typeof n == "number" ? this._$AC(e) : (n.el === void 0 && (n.el = Te.createElement(Ce(n.h, n.h[0]), this.options)), n);
		if (this._$AH?._$AD === r) this._$AH.p(t);
		else {
			let e = new Ee(r, this), n = e.u(this.options);
			e.p(t), this.T(n), this._$AH = e;
		}
	}
	_$AC(e) {
		let t = Se.get(e.strings);
		return t === void 0 && Se.set(e.strings, t = new Te(e)), t;
	}
	k(t) {
		pe(this._$AH) || (this._$AH = [], this._$AR());
		let n = this._$AH, r, i = 0;
		for (let a of t) i === n.length ? n.push(r = new e(this.O(b()), this.O(b()), this, this.options)) : r = n[i], r._$AI(a), i++;
		i < n.length && (this._$AR(r && r._$AB.nextSibling, i), n.length = i);
	}
	_$AR(e = this._$AA.nextSibling, t) {
		for (this._$AP?.(!1, !0, t); e !== this._$AB;) {
			let t = ce(e).nextSibling;
			ce(e).remove(), e = t;
		}
	}
	setConnected(e) {
		this._$AM === void 0 && (this._$Cv = e, this._$AP?.(e));
	}
}, A = class {
	get tagName() {
		return this.element.tagName;
	}
	get _$AU() {
		return this._$AM._$AU;
	}
	constructor(e, t, n, r, i) {
		this.type = 1, this._$AH = D, this._$AN = void 0, this.element = e, this.name = t, this._$AM = r, this.options = i, n.length > 2 || n[0] !== "" || n[1] !== "" ? (this._$AH = Array(n.length - 1).fill(/* @__PURE__ */ new String()), this.strings = n) : this._$AH = D;
	}
	_$AI(e, t = this, n, r) {
		let i = this.strings, a = !1;
		if (i === void 0) e = k(this, e, t, 0), a = !x(e) || e !== this._$AH && e !== E, a && (this._$AH = e);
		else {
			let r = e, o, s;
			for (e = i[0], o = 0; o < i.length - 1; o++) s = k(this, r[n + o], t, o), s === E && (s = this._$AH[o]), a ||= !x(s) || s !== this._$AH[o], s === D ? e = D : e !== D && (e += (s ?? "") + i[o + 1]), this._$AH[o] = s;
		}
		a && !r && this.j(e);
	}
	j(e) {
		e === D ? this.element.removeAttribute(this.name) : this.element.setAttribute(this.name, e ?? "");
	}
}, Oe = class extends A {
	constructor() {
		super(...arguments), this.type = 3;
	}
	j(e) {
		this.element[this.name] = e === D ? void 0 : e;
	}
}, ke = class extends A {
	constructor() {
		super(...arguments), this.type = 4;
	}
	j(e) {
		this.element.toggleAttribute(this.name, !!e && e !== D);
	}
}, Ae = class extends A {
	constructor(e, t, n, r, i) {
		super(e, t, n, r, i), this.type = 5;
	}
	_$AI(e, t = this) {
		if ((e = k(this, e, t, 0) ?? D) === E) return;
		let n = this._$AH, r = e === D && n !== D || e.capture !== n.capture || e.once !== n.once || e.passive !== n.passive, i = e !== D && (n === D || r);
		r && this.element.removeEventListener(this.name, this, n), i && this.element.addEventListener(this.name, this, e), this._$AH = e;
	}
	handleEvent(e) {
		typeof this._$AH == "function" ? this._$AH.call(this.options?.host ?? this.element, e) : this._$AH.handleEvent(e);
	}
}, je = class {
	constructor(e, t, n) {
		this.element = e, this.type = 6, this._$AN = void 0, this._$AM = t, this.options = n;
	}
	get _$AU() {
		return this._$AM._$AU;
	}
	_$AI(e) {
		k(this, e);
	}
}, Me = {
	M: ue,
	P: v,
	A: de,
	C: 1,
	L: we,
	R: Ee,
	D: me,
	V: k,
	I: De,
	H: A,
	N: ke,
	U: Ae,
	B: Oe,
	F: je
}, Ne = se.litHtmlPolyfillSupport;
Ne?.(Te, De), (se.litHtmlVersions ??= []).push("3.3.3");
var Pe = (e, t, n) => {
	let r = n?.renderBefore ?? t, i = r._$litPart$;
	if (i === void 0) {
		let e = n?.renderBefore ?? null;
		r._$litPart$ = i = new De(t.insertBefore(b(), e), e, void 0, n ?? {});
	}
	return i._$AI(e), i;
}, Fe = globalThis, j = class extends g {
	constructor() {
		super(...arguments), this.renderOptions = { host: this }, this._$Do = void 0;
	}
	createRenderRoot() {
		let e = super.createRenderRoot();
		return this.renderOptions.renderBefore ??= e.firstChild, e;
	}
	update(e) {
		let t = this.render();
		this.hasUpdated || (this.renderOptions.isConnected = this.isConnected), super.update(e), this._$Do = Pe(t, this.renderRoot, this.renderOptions);
	}
	connectedCallback() {
		super.connectedCallback(), this._$Do?.setConnected(!0);
	}
	disconnectedCallback() {
		super.disconnectedCallback(), this._$Do?.setConnected(!1);
	}
	render() {
		return E;
	}
};
j._$litElement$ = !0, j.finalized = !0, Fe.litElementHydrateSupport?.({ LitElement: j });
var Ie = Fe.litElementPolyfillSupport;
Ie?.({ LitElement: j }), (Fe.litElementVersions ??= []).push("4.2.2");
// src/config.ts
var M = [
	"now",
	"history",
	"security"
];
function Le(e) {
	if (typeof e != "object" || !e) throw Error("The settings of the card are missing.");
	let { device_id: t, title: n, tabs: r } = e;
	if (typeof t != "string" || t === "") throw Error("Choose a wallbox: device_id has to be the id of the device of a Loxone wallbox.");
	if (n !== void 0 && typeof n != "string") throw Error("title has to be a text.");
	return Re(r), e;
}
function Re(e) {
	if (e === void 0) return;
	let t = M;
	if (!Array.isArray(e) || e.some((e) => !t.includes(e))) throw Error(`tabs has to be a list of some of: ${M.join(", ")}.`);
}
// src/i18n/sections/card.ts
var ze = {
	"card.name": "Loxone Wallbox",
	"card.description": "What a wallbox does, why, until when, and how to change it.",
	"card.tabs": "Views",
	"card.not_ours_title": "Not a Loxone wallbox",
	"card.not_ours": "The device of this card is not a Loxone wallbox. Choose another one in its settings.",
	"card.removed": "This wallbox is not in Home Assistant any more.",
	"card.no_entities": "The entities of this wallbox are disabled, so there is nothing to show. Enable them on the page of its device.",
	"card.only_admin": "Only administrators may see what this card shows.",
	"card.disconnected": "The connection to Home Assistant is lost.",
	"error.call": "That did not work: {message}",
	"error.unknown": "unknown error"
}, Be = {
	"card.name": "Loxone Wallbox",
	"card.description": "Was eine Wallbox tut, warum, bis wann, und wie es sich ändern lässt.",
	"card.tabs": "Ansichten",
	"card.not_ours_title": "Keine Loxone-Wallbox",
	"card.not_ours": "Das Gerät dieser Karte ist keine Loxone-Wallbox. Wähle in ihren Einstellungen ein anderes.",
	"card.removed": "Diese Wallbox ist nicht mehr in Home Assistant.",
	"card.no_entities": "Die Entitäten dieser Wallbox sind deaktiviert, daher gibt es nichts zu zeigen. Aktiviere sie auf der Seite des Geräts.",
	"card.only_admin": "Was diese Karte zeigt, dürfen nur Administratoren sehen.",
	"card.disconnected": "Die Verbindung zu Home Assistant ist unterbrochen.",
	"error.call": "Das hat nicht geklappt: {message}",
	"error.unknown": "unbekannter Fehler"
}, Ve = {
	"editor.device_id": "Wallbox",
	"editor.title": "Title",
	"editor.title_help": "The name of the wallbox where none is given.",
	"editor.tabs": "Views",
	"editor.tabs_help": "All of them where none is chosen. Security is seen by administrators only."
}, He = {
	"editor.device_id": "Wallbox",
	"editor.title": "Titel",
	"editor.title_help": "Ohne Angabe der Name der Wallbox.",
	"editor.tabs": "Ansichten",
	"editor.tabs_help": "Alle, wenn keine gewählt ist. Sicherheit sehen nur Administratoren."
}, Ue = {
	"history.tab": "History",
	"history.period": "Period",
	"history.rolling_year": "Last 12 months",
	"history.user": "User",
	"history.everybody": "Everybody",
	"history.figures": "Sum",
	"history.energy": "Energy",
	"history.cost": "Cost",
	"history.sessions": "Sessions",
	"history.charging_time": "Charging time",
	"history.no_price": "{energy} have no price.",
	"history.provisional": "The price of {energy} may still change.",
	"history.months": "Energy by month",
	"history.month": "{month}: {energy}, {cost}, {sessions}",
	"history.month_free": "{month}: {energy}, {sessions}",
	"history.chosen_month": "Sessions of {month}",
	"history.all": "Show all",
	"history.count_one": "1 session",
	"history.count": "{count} sessions",
	"history.list": "Sessions, the newest first",
	"history.none": "No session here yet.",
	"history.download": "Save as CSV",
	"history.downloading": "Being prepared…",
	"history.downloaded": "The table was handed to the browser.",
	"history.still_open": "still plugged in",
	"history.plugged_in": "Plugged in",
	"history.unplugged": "Unplugged",
	"history.charged": "Charged",
	"history.charged_for": "Charged for",
	"history.plugged_in_for": "Plugged in for",
	"history.max_power": "Highest power",
	"history.vehicle": "Vehicle",
	"history.stopped": "Ended by",
	"history.measured": "Measured by",
	"history.cost_open": "not final",
	"history.slices": "Parts of one price",
	"history.from": "From",
	"history.price": "Price per kWh",
	"history.peak": "peak",
	"history.grid_event": "grid event",
	"history.stop.user": "the owner",
	"history.stop.window_end": "the end of the charging hours",
	"history.stop.dsr": "a grid event",
	"history.stop.unplugged": "unplugging",
	"history.stop.car": "the car",
	"history.stop.fault": "a fault",
	"history.stop.tamper": "tampering",
	"history.stop.load_shed": "load shedding",
	"history.stop.comms": "a lost connection",
	"history.stop.unknown": "an unknown cause",
	"history.source.meter": "the energy meter",
	"history.source.miniserver": "the Miniserver, coarser",
	"history.source.estimated": "estimated from the power that was allowed"
}, We = {
	"history.tab": "Verlauf",
	"history.period": "Zeitraum",
	"history.rolling_year": "Letzte 12 Monate",
	"history.user": "Nutzer",
	"history.everybody": "Alle",
	"history.figures": "Summe",
	"history.energy": "Energie",
	"history.cost": "Kosten",
	"history.sessions": "Ladevorgänge",
	"history.charging_time": "Ladezeit",
	"history.no_price": "{energy} haben keinen Preis.",
	"history.provisional": "Der Preis von {energy} kann sich noch ändern.",
	"history.months": "Energie nach Monaten",
	"history.month": "{month}: {energy}, {cost}, {sessions}",
	"history.month_free": "{month}: {energy}, {sessions}",
	"history.chosen_month": "Ladevorgänge im {month}",
	"history.all": "Alle zeigen",
	"history.count_one": "1 Ladevorgang",
	"history.count": "{count} Ladevorgänge",
	"history.list": "Ladevorgänge, der neueste zuerst",
	"history.none": "Hier gibt es noch keinen Ladevorgang.",
	"history.download": "Als CSV sichern",
	"history.downloading": "Wird vorbereitet …",
	"history.downloaded": "Die Tabelle wurde dem Browser übergeben.",
	"history.still_open": "noch angesteckt",
	"history.plugged_in": "Angesteckt",
	"history.unplugged": "Abgesteckt",
	"history.charged": "Geladen",
	"history.charged_for": "Ladedauer",
	"history.plugged_in_for": "Angesteckt für",
	"history.max_power": "Höchste Leistung",
	"history.vehicle": "Fahrzeug",
	"history.stopped": "Beendet durch",
	"history.measured": "Gemessen durch",
	"history.cost_open": "nicht endgültig",
	"history.slices": "Abschnitte gleichen Preises",
	"history.from": "Ab",
	"history.price": "Preis je kWh",
	"history.peak": "Spitzenzeit",
	"history.grid_event": "Netzereignis",
	"history.stop.user": "den Besitzer",
	"history.stop.window_end": "das Ende der Ladezeiten",
	"history.stop.dsr": "ein Netzereignis",
	"history.stop.unplugged": "Abstecken",
	"history.stop.car": "das Auto",
	"history.stop.fault": "einen Fehler",
	"history.stop.tamper": "eine Manipulation",
	"history.stop.load_shed": "Lastabwurf",
	"history.stop.comms": "eine unterbrochene Verbindung",
	"history.stop.unknown": "eine unbekannte Ursache",
	"history.source.meter": "den Energiezähler",
	"history.source.miniserver": "den Miniserver, gröber",
	"history.source.estimated": "Schätzung aus der erlaubten Leistung"
}, Ge = {
	"list.loading": "Loading…",
	"list.more": "Show more",
	"list.again": "Try again"
}, Ke = {
	"list.loading": "Wird geladen …",
	"list.more": "Mehr zeigen",
	"list.again": "Noch einmal versuchen"
}, qe = {
	"now.tab": "Now",
	"now.status.unreachable": "The wallbox cannot be reached",
	"now.status.fault": "The wallbox has a fault",
	"now.status.tamper": "Stopped: it was tampered with",
	"now.status.locked": "The wallbox is locked",
	"now.status.disconnected": "No vehicle is plugged in",
	"now.status.load_shedding": "Paused by load shedding",
	"now.status.phase_switching": "Switching phases",
	"now.status.charging": "Charging",
	"now.status.random_delay": "Starting in a moment",
	"now.status.dsr": "Paused for the grid",
	"now.status.paused": "Paused",
	"now.status.waiting_for_default_hours": "Waiting for the default charging hours",
	"now.status.finished": "The vehicle is charged",
	"now.status.waiting_for_vehicle": "Waiting for the vehicle",
	"now.status.unknown": "Nothing is known of the wallbox yet",
	"now.reason.unreachable": "Home Assistant does not hear from it. It goes on by itself meanwhile.",
	"now.reason.fault": "It does not charge until the fault is over.",
	"now.reason.fault_named": "Fault: {fault}. It does not charge until that is over.",
	"now.reason.locked": "The Miniserver does not let anybody change it.",
	"now.reason.tamper": "It does not charge until that is cleared up.",
	"now.reason.load_shedding": "The Miniserver keeps the home below its limit.",
	"now.reason.override_charge": "Charge now was chosen, until the vehicle is unplugged.",
	"now.reason.override_charge_until": "Charge now was chosen, until {time}.",
	"now.reason.override_pause": "Pause was chosen, until the vehicle is unplugged.",
	"now.reason.override_pause_until": "Pause was chosen, until {time}.",
	"now.reason.paused": "Charging is not allowed until somebody allows it again.",
	"now.reason.dsr": "An event of the grid asks for no charging.",
	"now.reason.dsr_limit": "An event of the grid limits charging to {limit}.",
	"now.reason.dsr_increase": "An event of the grid asks for charging.",
	"now.reason.random_delay": "A random delay, so that not all vehicles switch in the same second.",
	"now.reason.default_hours": "It is within the default charging hours.",
	"now.reason.outside_default_hours": "It is outside of the default charging hours.",
	"now.reason.no_default_hours": "Charging is allowed at any time.",
	"now.reason.no_vehicle": "Charging begins when one is plugged in and the rules allow it.",
	"now.until.delay_start": "Starts in",
	"now.until.delay_stop": "Stops in",
	"now.until.delay_more": "More power in",
	"now.until.delay_less": "Less power in",
	"now.until.override": "Override ends in",
	"now.until.hours_begin": "Default hours begin in",
	"now.until.hours_end": "Default hours end in",
	"now.until.event_begins": "Grid event begins in",
	"now.until.event_ends": "Grid event ends in",
	"now.until.change": "Next change in",
	"now.until.moment": "in a moment",
	"now.controls": "Controls",
	"now.control.charge_now": "Charge now",
	"now.control.pause_now": "Pause",
	"now.control.skip_random_delay": "Skip the delay",
	"now.control.dsr_opt_out": "Opt out of the grid event",
	"now.control.resume_schedule": "Resume",
	"now.no_controls": "It can only be looked at: the user on the Miniserver may not control it, or the controls are disabled.",
	"now.limit": "Power limit",
	"now.limit_in_force": "In force: {limit}",
	"now.power": "Charging power",
	"now.power_unknown": "The charging power is not known.",
	"now.power_coarse": "As told by the Miniserver",
	"now.power_measured": "Measured each second",
	"now.power_trend": "The last ten minutes, at most {most}",
	"now.session": "This session",
	"now.last_session": "Last session",
	"now.fact.energy": "Energy",
	"now.fact.cost": "Cost",
	"now.fact.charging": "Charging time",
	"now.plan": "The next 24 hours",
	"now.plan_failed": "The plan cannot be shown: {message}",
	"now.plan_empty": "Nothing is planned: charging is allowed at any time.",
	"now.lane.hours": "Default charging hours",
	"now.lane.peak": "Peak hours",
	"now.lane.events": "Grid events",
	"now.lane.override_charge": "Charge now",
	"now.lane.override_pause": "Paused",
	"now.lane.delay": "Random delay",
	"now.lane.prices": "Price of a kWh",
	"now.lane.provisional": "partly provisional",
	"now.lane.all": "all the time",
	"now.lane.until_unplugged": "until unplugged",
	"now.event.pause": "pause",
	"now.event.limit": "at most {limit}",
	"now.event.increase": "charge",
	"time.seconds": "{seconds} s",
	"time.minutes": "{minutes} min",
	"time.hours": "{hours} h {minutes} min",
	"time.days": "{days} d {hours} h",
	"time.span": "{start} to {end}"
}, Je = {
	"now.tab": "Jetzt",
	"now.status.unreachable": "Die Wallbox ist nicht erreichbar",
	"now.status.fault": "Die Wallbox hat eine Störung",
	"now.status.tamper": "Angehalten: Sie wurde manipuliert",
	"now.status.locked": "Die Wallbox ist gesperrt",
	"now.status.disconnected": "Kein Fahrzeug angesteckt",
	"now.status.load_shedding": "Pausiert durch das Lastmanagement",
	"now.status.phase_switching": "Phasen werden umgeschaltet",
	"now.status.charging": "Lädt",
	"now.status.random_delay": "Beginnt gleich",
	"now.status.dsr": "Pausiert für das Netz",
	"now.status.paused": "Pausiert",
	"now.status.waiting_for_default_hours": "Wartet auf die Standardladezeiten",
	"now.status.finished": "Das Fahrzeug ist geladen",
	"now.status.waiting_for_vehicle": "Wartet auf das Fahrzeug",
	"now.status.unknown": "Von der Wallbox ist noch nichts bekannt",
	"now.reason.unreachable": "Home Assistant hört nichts von ihr. Sie arbeitet so lange selbst weiter.",
	"now.reason.fault": "Sie lädt erst wieder, wenn die Störung vorbei ist.",
	"now.reason.fault_named": "Störung: {fault}. Sie lädt erst wieder, wenn das vorbei ist.",
	"now.reason.locked": "Der Miniserver lässt keine Änderungen zu.",
	"now.reason.tamper": "Sie lädt erst wieder, wenn das geklärt ist.",
	"now.reason.load_shedding": "Der Miniserver hält das Haus unter seiner Grenze.",
	"now.reason.override_charge": "Jetzt laden wurde gewählt, bis das Fahrzeug abgesteckt wird.",
	"now.reason.override_charge_until": "Jetzt laden wurde gewählt, bis {time}.",
	"now.reason.override_pause": "Pause wurde gewählt, bis das Fahrzeug abgesteckt wird.",
	"now.reason.override_pause_until": "Pause wurde gewählt, bis {time}.",
	"now.reason.paused": "Laden ist nicht erlaubt, bis es jemand wieder erlaubt.",
	"now.reason.dsr": "Ein Netzereignis verlangt, nicht zu laden.",
	"now.reason.dsr_limit": "Ein Netzereignis begrenzt das Laden auf {limit}.",
	"now.reason.dsr_increase": "Ein Netzereignis wünscht, dass geladen wird.",
	"now.reason.random_delay": "Eine zufällige Verzögerung, damit nicht alle Fahrzeuge in derselben Sekunde schalten.",
	"now.reason.default_hours": "Es sind Standardladezeiten.",
	"now.reason.outside_default_hours": "Es sind keine Standardladezeiten.",
	"now.reason.no_default_hours": "Laden ist jederzeit erlaubt.",
	"now.reason.no_vehicle": "Das Laden beginnt, wenn eines angesteckt ist und die Regeln es erlauben.",
	"now.until.delay_start": "Beginnt in",
	"now.until.delay_stop": "Endet in",
	"now.until.delay_more": "Mehr Leistung in",
	"now.until.delay_less": "Weniger Leistung in",
	"now.until.override": "Vorrang endet in",
	"now.until.hours_begin": "Standardladezeiten beginnen in",
	"now.until.hours_end": "Standardladezeiten enden in",
	"now.until.event_begins": "Netzereignis beginnt in",
	"now.until.event_ends": "Netzereignis endet in",
	"now.until.change": "Nächste Änderung in",
	"now.until.moment": "gleich",
	"now.controls": "Bedienung",
	"now.control.charge_now": "Jetzt laden",
	"now.control.pause_now": "Pause",
	"now.control.skip_random_delay": "Verzögerung überspringen",
	"now.control.dsr_opt_out": "Netzereignis ablehnen",
	"now.control.resume_schedule": "Fortsetzen",
	"now.no_controls": "Sie kann nur angesehen werden: Der Benutzer am Miniserver darf sie nicht bedienen, oder die Bedienelemente sind deaktiviert.",
	"now.limit": "Leistungsgrenze",
	"now.limit_in_force": "Es gilt: {limit}",
	"now.power": "Ladeleistung",
	"now.power_unknown": "Die Ladeleistung ist nicht bekannt.",
	"now.power_coarse": "Vom Miniserver gemeldet",
	"now.power_measured": "Jede Sekunde gemessen",
	"now.power_trend": "Die letzten zehn Minuten, höchstens {most}",
	"now.session": "Dieser Ladevorgang",
	"now.last_session": "Letzter Ladevorgang",
	"now.fact.energy": "Energie",
	"now.fact.cost": "Kosten",
	"now.fact.charging": "Ladezeit",
	"now.plan": "Die nächsten 24 Stunden",
	"now.plan_failed": "Der Plan lässt sich nicht zeigen: {message}",
	"now.plan_empty": "Es ist nichts geplant: Laden ist jederzeit erlaubt.",
	"now.lane.hours": "Standardladezeiten",
	"now.lane.peak": "Spitzenzeiten",
	"now.lane.events": "Netzereignisse",
	"now.lane.override_charge": "Jetzt laden",
	"now.lane.override_pause": "Pausiert",
	"now.lane.delay": "Zufällige Verzögerung",
	"now.lane.prices": "Preis einer kWh",
	"now.lane.provisional": "zum Teil vorläufig",
	"now.lane.all": "durchgehend",
	"now.lane.until_unplugged": "bis zum Abstecken",
	"now.event.pause": "Pause",
	"now.event.limit": "höchstens {limit}",
	"now.event.increase": "laden",
	"time.seconds": "{seconds} s",
	"time.minutes": "{minutes} min",
	"time.hours": "{hours} h {minutes} min",
	"time.days": "{days} d {hours} h",
	"time.span": "{start} bis {end}"
}, Ye = {
	"security.tab": "Security",
	"security.kind": "Kind",
	"security.all": "All kinds",
	"security.verify": "Check the log",
	"security.verifying": "The log is being checked…",
	"security.whole": "The log is whole: {records}, none changed and none missing.",
	"security.broken": "The log was changed: record {record} is not as it was written. A repair in the settings tells what to do.",
	"security.count_one": "1 record",
	"security.count": "{count} records",
	"security.list": "Records, the newest first",
	"security.none": "Nothing was recorded.",
	"security.number": "Record",
	"security.source": "From",
	"security.hash": "Hash",
	"security.outcome.info": "Information",
	"security.outcome.attempt_failed": "Refused",
	"security.outcome.attempt_succeeded": "Carried out",
	"security.source.miniserver": "Miniserver",
	"security.source.network": "Network",
	"security.source.integration": "Integration",
	"security.source.ha_user": "User {user}",
	"security.source.deleted": "User, deleted"
}, Xe = {
	"security.tab": "Sicherheit",
	"security.kind": "Art",
	"security.all": "Alle Arten",
	"security.verify": "Protokoll prüfen",
	"security.verifying": "Das Protokoll wird geprüft …",
	"security.whole": "Das Protokoll ist unversehrt: {records}, keiner geändert, keiner fehlt.",
	"security.broken": "Das Protokoll wurde verändert: Eintrag {record} ist nicht so, wie er geschrieben wurde. Eine Reparatur in den Einstellungen sagt, was zu tun ist.",
	"security.count_one": "1 Eintrag",
	"security.count": "{count} Einträge",
	"security.list": "Einträge, der neueste zuerst",
	"security.none": "Nichts wurde aufgezeichnet.",
	"security.number": "Eintrag",
	"security.source": "Von",
	"security.hash": "Prüfsumme",
	"security.outcome.info": "Information",
	"security.outcome.attempt_failed": "Abgewiesen",
	"security.outcome.attempt_succeeded": "Ausgeführt",
	"security.source.miniserver": "Miniserver",
	"security.source.network": "Netzwerk",
	"security.source.integration": "Integration",
	"security.source.ha_user": "Nutzer {user}",
	"security.source.deleted": "Nutzer, gelöscht"
}, Ze = {
	"strategy.name": "Wallboxes",
	"strategy.description": "A view for each Loxone wallbox, with its controls, plan, energy and history.",
	"strategy.overview": "Overview",
	"strategy.none": "There is no Loxone wallbox in Home Assistant yet. Add it under [devices & services](/config/integrations).",
	"strategy.controls": "Controls",
	"strategy.energy": "Energy",
	"strategy.by_day": "Energy by day",
	"strategy.power": "Power",
	"strategy.plan": "Plan",
	"strategy.logbook": "What happened"
}, Qe = {
	"strategy.name": "Wallboxen",
	"strategy.description": "Eine Ansicht je Loxone-Wallbox, mit Bedienung, Plan, Energie und Verlauf.",
	"strategy.overview": "Übersicht",
	"strategy.none": "In Home Assistant gibt es noch keine Loxone-Wallbox. Füge sie unter [Geräte & Dienste](/config/integrations) hinzu.",
	"strategy.controls": "Bedienung",
	"strategy.energy": "Energie",
	"strategy.by_day": "Energie nach Tagen",
	"strategy.power": "Leistung",
	"strategy.plan": "Plan",
	"strategy.logbook": "Was geschah"
}, $e = {
	...Be,
	...Je,
	...We,
	...Xe,
	...Ke,
	...He,
	...Qe
}, et = {
	...ze,
	...qe,
	...Ue,
	...Ye,
	...Ge,
	...Ve,
	...Ze
}, tt = {
	en: et,
	de: $e
};
function N(e) {
	let [t] = (e?.locale?.language ?? e?.language ?? "en").toLowerCase().split("-");
	return t !== void 0 && Object.hasOwn(tt, t) ? t : "en";
}
function P(e) {
	let t = tt[e] ?? et;
	return (e, n = {}) => t[e].replace(/\{(\w+)\}/g, (e, t) => t in n ? String(n[t]) : e);
}
// src/model/wallbox.ts
var nt = "loxone_wallbox", rt = class e {
	constructor(e, t, n) {
		this.hass = e, this.device = t, this.ids = n;
	}
	static of(t, n) {
		let r = t.devices[n];
		if (r === void 0 || !ot(t, n)) return;
		let i = at(t).get(n) ?? /* @__PURE__ */ new Map();
		return new e(t, r, i);
	}
	get id() {
		return this.device.id;
	}
	get hasEntities() {
		return this.ids.size > 0;
	}
	differs(e) {
		return this.ids !== e.ids || this.device !== e.device || this.hass.locale !== e.hass.locale || this.hass.connected !== e.hass.connected || [...this.ids.values()].some((t) => this.hass.states[t] !== e.hass.states[t]);
	}
	get name() {
		return this.device.name_by_user || this.device.name || this.device.id;
	}
	entityId(e) {
		return this.ids.get(e);
	}
	entity(e) {
		let t = this.ids.get(e);
		return t === void 0 ? void 0 : this.hass.states[t];
	}
	value(e) {
		let t = this.entity(e)?.state;
		return t === void 0 || t === "unavailable" || t === "unknown" ? void 0 : t;
	}
	number(e) {
		let t = Number(this.value(e) ?? NaN);
		return Number.isFinite(t) ? t : void 0;
	}
	isOn(e) {
		return this.value(e) === "on";
	}
	instant(e) {
		let t = Date.parse(this.value(e) ?? "");
		return Number.isNaN(t) ? void 0 : new Date(t);
	}
	usable(e) {
		let t = this.entity(e);
		return t !== void 0 && t.state !== "unavailable";
	}
}, it = /* @__PURE__ */ new WeakMap();
function at(e) {
	let t = it.get(e.entities);
	if (t !== void 0) return t;
	let n = /* @__PURE__ */ new Map();
	for (let t of Object.values(e.entities)) {
		if (t?.platform !== "loxone_wallbox" || !t.device_id || !t.translation_key) continue;
		let e = n.get(t.device_id) ?? /* @__PURE__ */ new Map(), [r] = t.entity_id.split(".");
		e.set(`${r}.${t.translation_key}`, t.entity_id), n.set(t.device_id, e);
	}
	return it.set(e.entities, n), n;
}
function ot(e, t) {
	return e.devices[t]?.identifiers?.some(ct) ?? !1;
}
function st(e) {
	let t = (t) => e.devices[t]?.name_by_user ?? e.devices[t]?.name;
	return Object.values(e.devices).filter((e) => e?.identifiers?.some(ct)).map((e) => e.id).sort((e, n) => (t(e) ?? e).localeCompare(t(n) ?? n));
}
function ct([e, t]) {
	return e === "loxone_wallbox" && t.includes("_");
}
// src/editor.ts
function lt() {
	let { lang: e } = document.documentElement, t = P(N({ language: e })), n = (e) => t(e), r = M.map((e) => ({
		value: e,
		label: n(`${e}.tab`)
	}));
	return {
		schema: [
			{
				name: "device_id",
				required: !0,
				selector: { device: { entity: [{
					integration: nt,
					domain: "switch"
				}] } }
			},
			{
				name: "title",
				selector: { text: {} }
			},
			{
				name: "tabs",
				selector: { select: {
					multiple: !0,
					mode: "list",
					options: r
				} }
			}
		],
		computeLabel: ({ name: e }) => ut[e] && n(ut[e]),
		computeHelper: ({ name: e }) => dt[e] && n(dt[e])
	};
}
var ut = {
	device_id: "editor.device_id",
	title: "editor.title",
	tabs: "editor.tabs"
}, dt = {
	title: "editor.title_help",
	tabs: "editor.tabs_help"
};
// src/error-card.ts
async function ft(e, t) {
	let n = await window.loadCardHelpers?.();
	if (n !== void 0) {
		let r = n.createCardElement({
			type: "error",
			error: e,
			message: t
		});
		return r.preview = !0, r;
	}
	let r = document.createElement("ha-alert");
	return r.setAttribute("alert-type", "error"), r.setAttribute("title", e), r.textContent = t, r;
}
// src/styles.ts
var F = o`
  :host {
    --lw-accent: var(--primary-color);
    --lw-muted: var(--secondary-text-color);
    --lw-line: var(--divider-color);
    --lw-good: var(--success-color, #43a047);
    --lw-warn: var(--warning-color, #ffa600);
    --lw-bad: var(--error-color, #db4437);
    color: var(--primary-text-color);
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  button {
    font: inherit;
    color: inherit;
    cursor: pointer;
  }
  :focus-visible {
    outline: 2px solid var(--lw-accent);
    outline-offset: 2px;
  }
  /* For a screen reader alone. */
  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: 0;
    overflow: hidden;
    clip-path: inset(50%);
  }
  .sentence {
    margin: 0;
    padding: 16px;
    line-height: 1.5;
  }
  .error {
    margin: 0;
    padding: 8px 12px;
    border-left: 4px solid var(--lw-bad);
    line-height: 1.4;
  }
`, pt = [F, o`
    ha-card {
      display: block;
      overflow: hidden;
    }
    .title {
      margin: 0;
      padding: 16px 16px 0;
      font-size: 1.25rem;
      font-weight: 500;
      line-height: 1.3;
      overflow-wrap: anywhere;
    }
    .tabs {
      container-type: inline-size;
      display: flex;
      gap: 4px;
      margin: 8px 8px 0;
      border-bottom: 1px solid var(--lw-line);
    }
    .tabs button {
      display: flex;
      flex: 1 1 0;
      min-width: 0;
      align-items: center;
      justify-content: center;
      gap: 8px;
      min-height: 44px;
      padding: 0 8px;
      border: none;
      border-bottom: 2px solid transparent;
      background: none;
      color: var(--lw-muted);
    }
    .tabs button[aria-selected="true"] {
      border-bottom-color: var(--lw-accent);
      color: var(--primary-text-color);
    }
    .tabs span {
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    @container (max-width: 380px) {
      .tabs button {
        flex-direction: column;
        gap: 0;
        padding: 4px 2px;
        font-size: 0.875rem;
      }
      .tabs span {
        max-width: 100%;
      }
    }
  `], mt = o`
  .head {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 4px 12px;
  }
  h2 {
    margin: 0;
    font-size: 1rem;
    font-weight: 500;
  }
  .plain {
    display: inline-flex;
    align-items: center;
    gap: 8px;
    min-height: 44px;
    padding: 0 12px;
    border: 1px solid var(--lw-line);
    border-radius: 8px;
    background: none;
  }
  .plain:disabled {
    cursor: default;
    opacity: 0.5;
  }
  ul {
    max-height: 440px;
    margin: 8px 0 0;
    padding: 0;
    overflow-y: auto;
    list-style: none;
  }
  li + li {
    border-top: 1px solid var(--lw-line);
  }
  summary {
    display: grid;
    grid-template-columns: 1fr auto;
    gap: 2px 12px;
    min-height: 44px;
    padding: 8px 4px;
    align-content: center;
    cursor: pointer;
    list-style: none;
  }
  summary::-webkit-details-marker {
    display: none;
  }
  summary > * {
    overflow-wrap: anywhere;
  }
  .end {
    text-align: center;
  }
  .end:empty {
    display: none;
  }
  .muted {
    margin: 0;
    padding: 12px 4px;
    color: var(--lw-muted);
  }
  dl {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(140px, 1fr));
    gap: 8px 12px;
    margin: 4px 4px 12px;
  }
  dt {
    color: var(--lw-muted);
    font-size: 0.875rem;
  }
  dd {
    margin: 0;
    overflow-wrap: anywhere;
  }
  .choices {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 12px;
  }
  .choices label {
    display: flex;
    flex: 1 1 140px;
    flex-direction: column;
    gap: 4px;
    min-width: 0;
    color: var(--lw-muted);
    font-size: 0.875rem;
  }
  select {
    min-height: 44px;
    padding: 0 8px;
    border: 1px solid var(--lw-line);
    border-radius: 8px;
    background: var(--card-background-color);
    color: var(--primary-text-color);
    font: inherit;
    font-size: 1rem;
  }
`;
// src/calls.ts
function I(e, t) {
	return t("error.call", { message: ht(e, t) });
}
function ht(e, t) {
	return gt(e) ?? t("error.unknown");
}
function gt(e) {
	if (typeof e == "string" && e !== "") return e;
	if (typeof e != "object" || !e) return;
	let { message: t, error: n } = e;
	return typeof t == "string" && t !== "" ? t : n === void 0 ? void 0 : gt(n);
}
async function L(e, t) {
	try {
		return await t;
	} catch (t) {
		throw await _t(e, t) ?? t;
	}
}
async function _t(e, t) {
	let { translation_key: n, translation_domain: r, translation_placeholders: i } = t ?? {};
	if (n && r) try {
		let a = e.loadBackendTranslation?.("exceptions", r), o = `component.${r}.exceptions.${n}.message`, s = (await a)?.(o, i ?? {});
		return s ? Error(s, { cause: t }) : void 0;
	} catch {
		return;
	}
}
async function vt(e, t, n, r, i = {}) {
	let a = { entity_id: r };
	await L(e, e.callService(t, n, i, a, !1));
}
async function yt(e, t, n) {
	return (await L(e, e.callService("loxone_wallbox", t, n, void 0, !1, !0)))?.response;
}
// src/format.ts
var bt = {
	comma_decimal: "en-US",
	none: "en-US",
	decimal_comma: "de",
	quote_decimal: "de-CH",
	space_comma: "fr"
};
function xt({ locale: e }) {
	if (e.number_format !== "system") return bt[e.number_format] ?? e.language;
}
function R(e, t, n) {
	return new Intl.NumberFormat(xt(e), {
		minimumFractionDigits: n,
		maximumFractionDigits: n,
		useGrouping: e.locale.number_format !== "none"
	}).format(t);
}
function z(e, t) {
	return `${R(e, t, t < 10 ? 2 : 1)} kW`;
}
function B(e, t, n, r) {
	if (!n) return R(e, t, r ?? 2);
	let i = r === void 0 ? {} : {
		minimumFractionDigits: r,
		maximumFractionDigits: r
	};
	try {
		return new Intl.NumberFormat(xt(e), {
			style: "currency",
			currency: n,
			...i
		}).format(t);
	} catch (i) {
		if (!(i instanceof RangeError)) throw i;
		return `${R(e, t, r ?? 2)} ${n}`;
	}
}
function St({ locale: e, config: t }) {
	return e.time_zone === "server" ? t.time_zone : void 0;
}
function V(e, t) {
	let n = St(e);
	return n === void 0 ? t : {
		...t,
		timeZone: n
	};
}
function Ct(e) {
	return wt(e) ? {
		hour: "numeric",
		hourCycle: "h12"
	} : {
		hour: "2-digit",
		hourCycle: "h23"
	};
}
function wt(e) {
	let t = e.locale.time_format;
	return t === "12" || t === "24" ? t === "12" : new Intl.DateTimeFormat(Tt(e), { hour: "numeric" }).resolvedOptions().hour12 ?? !1;
}
function Tt({ locale: e }) {
	return e.time_format === "system" ? void 0 : e.language;
}
function H(e, t) {
	let n = {
		...Ct(e),
		minute: "2-digit"
	};
	return new Intl.DateTimeFormat(Tt(e), V(e, n)).format(t);
}
function Et(e, t) {
	let n = V(e, {
		hour: "2-digit",
		hourCycle: "h23"
	});
	return Number(new Intl.DateTimeFormat("en-GB", n).format(t));
}
function U(e, t) {
	let n = V(e, {
		day: "numeric",
		month: "short",
		year: "numeric"
	});
	return new Intl.DateTimeFormat(e.locale.language, n).format(t);
}
function Dt(e, t, n) {
	let r = H(e, t);
	if (U(e, t) === U(e, n)) return r;
	let i = V(e, { weekday: "short" });
	return `${new Intl.DateTimeFormat(e.locale.language, i).format(t)} ${r}`;
}
function Ot(e, t) {
	let n = Math.max(0, Math.round(t));
	if (n < 60) return e("time.seconds", { seconds: n });
	let r = Math.floor(n / 60);
	return r < 60 ? e("time.minutes", { minutes: r }) : e("time.hours", {
		hours: Math.floor(r / 60),
		minutes: String(r % 60).padStart(2, "0")
	});
}
function kt(e, t) {
	let n = Math.max(0, Math.ceil(t));
	if (n >= 86400) return e("time.days", {
		days: Math.floor(n / 86400),
		hours: Math.floor(n % 86400 / 3600)
	});
	let [r, i] = [Math.floor(n / 3600), Math.floor(n / 60) % 60], a = (e) => String(e).padStart(2, "0");
	return r > 0 ? `${r}:${a(i)}:${a(n % 60)}` : `${i}:${a(n % 60)}`;
}
// src/model/history.ts
async function At(e, t, n, r, i) {
	let { sessions: a, total: o } = await L(e, e.callWS({
		type: "loxone_wallbox/sessions/list",
		device_id: t,
		...n,
		offset: r,
		limit: i
	}));
	return {
		items: a,
		total: o
	};
}
function jt(e, t, n, r) {
	let i = {
		type: "loxone_wallbox/sessions/summary",
		device_id: t,
		...n === "rolling_year" ? { period: n } : {
			period: "year",
			date: `${n}-07-01`
		},
		months: !0,
		by_user: !0,
		...r === void 0 ? {} : { user: r }
	};
	return L(e, e.callWS(i));
}
async function Mt(e, t, n) {
	return (await yt(e, "export_sessions", {
		device_id: [t],
		format: "csv",
		...n
	})).content;
}
// src/tabs/history-words.ts
function W(e, t) {
	return `${R(e, t, 2)} kWh`;
}
function Nt(e, t) {
	if (t.length !== 0) return t.map((t) => B(e, t.cost, t.currency)).join(" + ");
}
function Pt(e, t) {
	return t === 1 ? e("history.count_one") : e("history.count", { count: t });
}
function Ft(e, t, n) {
	let r = {
		month: n,
		...n === "long" ? { year: "numeric" } : {},
		timeZone: "UTC"
	};
	return new Intl.DateTimeFormat(e.locale.language, r).format(/* @__PURE__ */ new Date(`${t}-01T00:00:00Z`));
}
function It(e, t) {
	let n = new Date(t);
	return `${U(e, n)}, ${H(e, n)}`;
}
function Lt(e, t, { connected_utc: n, disconnected_utc: r }) {
	let i = It(e, n);
	if (r === null) return `${i} · ${t("history.still_open")}`;
	let [a, o] = [new Date(n), new Date(r)];
	return `${i} – ${U(e, a) === U(e, o) ? H(e, o) : It(e, r)}`;
}
function Rt(e, t, n) {
	if (n.cost === null) return;
	let r = B(e, n.cost, n.currency ?? void 0);
	return n.cost_status === "final" ? r : `${r} (${t("history.cost_open")})`;
}
// src/tabs/tab.ts
var G = class extends j {
	static {
		this.properties = {
			hass: { attribute: !1 },
			wallbox: { attribute: !1 },
			localize: { attribute: !1 }
		};
	}
};
function K(e, t) {
	customElements.get(e) || customElements.define(e, t);
}
// src/tabs/history-months.ts
var zt = 96;
K("loxone-wallbox-history-months", class extends G {
	static {
		this.properties = {
			...G.properties,
			months: { attribute: !1 },
			chosen: { attribute: !1 }
		};
	}
	static {
		this.styles = [F, o`
      :host {
        display: block;
        container-type: inline-size;
      }
      .most {
        border-bottom: 1px dashed var(--lw-line);
        color: var(--lw-muted);
        font-size: 0.75rem;
        text-align: end;
      }
      .bars {
        display: flex;
        align-items: stretch;
        height: ${122}px;
      }
      .bars button {
        position: relative;
        display: flex;
        flex: 1 1 0;
        flex-direction: column;
        justify-content: flex-end;
        min-width: 0;
        padding: 0 2px;
        border: none;
        border-bottom: 2px solid var(--lw-line);
        background: none;
      }
      .bar {
        flex: none;
        min-height: 1px;
        border-radius: 3px 3px 0 0;
        background: var(--lw-accent);
        opacity: 0.75;
      }
      .some .bar {
        opacity: 0.35;
      }
      button:hover .bar,
      button[aria-pressed="true"] .bar {
        opacity: 1;
      }
      .bars button[aria-pressed="true"] {
        border-bottom-color: var(--lw-accent);
      }
      .name {
        flex: none;
        overflow: hidden;
        height: 24px;
        line-height: 24px;
        color: var(--lw-muted);
        font-size: 0.75rem;
        text-align: center;
      }
      .hidden {
        position: absolute;
        overflow: hidden;
        width: 1px;
        height: 1px;
        clip-path: inset(50%);
        white-space: nowrap;
      }
      .letter {
        display: none;
      }
      @container (max-width: 460px) {
        .short {
          display: none;
        }
        .letter {
          display: inline;
        }
      }
    `];
	}
	render() {
		let e = Math.max(...this.months.map((e) => e.energy_kwh), 0), t = this.localize("history.months");
		return w`
      <div class="most" aria-hidden="true">
        ${e < 10 ? W(this.hass, e) : `${R(this.hass, e, 0)} kWh`}
      </div>
      <div
        class="bars ${this.chosen === void 0 ? "" : "some"}"
        role="group"
        aria-label=${t}
      >
        ${this.months.map((t) => this.bar(t, e))}
      </div>
    `;
	}
	bar(e, t) {
		let n = t > 0 ? zt * Math.max(e.energy_kwh, 0) / t : 0, r = this.words(e);
		return w`
      <button
        aria-pressed=${e.month === this.chosen}
        title=${r}
        @click=${() => this.choose(e.month)}
      >
        <span class="bar" style="height: ${n.toFixed(1)}px"></span>
        <span class="hidden">${r}</span>
        <span class="name" aria-hidden="true">
          <span class="short">${Ft(this.hass, e.month, "short")}</span>
          <span class="letter">${Ft(this.hass, e.month, "narrow")}</span>
        </span>
      </button>
    `;
	}
	words(e) {
		let t = Nt(this.hass, e.costs);
		return this.localize(t === void 0 ? "history.month_free" : "history.month", {
			month: Ft(this.hass, e.month, "long"),
			energy: W(this.hass, e.energy_kwh),
			cost: t ?? "",
			sessions: Pt(this.localize, e.sessions)
		});
	}
	choose(e) {
		let t = e === this.chosen ? void 0 : e;
		this.dispatchEvent(new CustomEvent("month-chosen", { detail: t }));
	}
});
// node_modules/lit-html/directive.js
var Bt = {
	ATTRIBUTE: 1,
	CHILD: 2,
	PROPERTY: 3,
	BOOLEAN_ATTRIBUTE: 4,
	EVENT: 5,
	ELEMENT: 6
}, Vt = (e) => (...t) => ({
	_$litDirective$: e,
	values: t
}), Ht = class {
	constructor(e) {}
	get _$AU() {
		return this._$AM._$AU;
	}
	_$AT(e, t, n) {
		this._$Ct = e, this._$AM = t, this._$Ci = n;
	}
	_$AS(e, t) {
		return this.update(e, t);
	}
	update(e, t) {
		return this.render(...t);
	}
}, { I: Ut } = Me, Wt = (e) => e, Gt = () => document.createComment(""), q = (e, t, n) => {
	let r = e._$AA.parentNode, i = t === void 0 ? e._$AB : t._$AA;
	if (n === void 0) n = new Ut(r.insertBefore(Gt(), i), r.insertBefore(Gt(), i), e, e.options);
	else {
		let t = n._$AB.nextSibling, a = n._$AM, o = a !== e;
		if (o) {
			let t;
			n._$AQ?.(e), n._$AM = e, n._$AP !== void 0 && (t = e._$AU) !== a._$AU && n._$AP(t);
		}
		if (t !== i || o) {
			let e = n._$AA;
			for (; e !== t;) {
				let t = Wt(e).nextSibling;
				Wt(r).insertBefore(e, i), e = t;
			}
		}
	}
	return n;
}, J = (e, t, n = e) => (e._$AI(t, n), e), Kt = {}, qt = (e, t = Kt) => e._$AH = t, Jt = (e) => e._$AH, Yt = (e) => {
	e._$AR(), e._$AA.remove();
}, Xt = (e, t, n) => {
	let r = /* @__PURE__ */ new Map();
	for (let i = t; i <= n; i++) r.set(e[i], i);
	return r;
}, Zt = Vt(class extends Ht {
	constructor(e) {
		if (super(e), e.type !== Bt.CHILD) throw Error("repeat() can only be used in text expressions");
	}
	dt(e, t, n) {
		let r;
		n === void 0 ? n = t : t !== void 0 && (r = t);
		let i = [], a = [], o = 0;
		for (let t of e) i[o] = r ? r(t, o) : o, a[o] = n(t, o), o++;
		return {
			values: a,
			keys: i
		};
	}
	render(e, t, n) {
		return this.dt(e, t, n).values;
	}
	update(e, [t, n, r]) {
		let i = Jt(e), { values: a, keys: o } = this.dt(t, n, r);
		if (!Array.isArray(i)) return this.ut = o, a;
		let s = this.ut ??= [], c = [], l, u, d = 0, f = i.length - 1, p = 0, m = a.length - 1;
		for (; d <= f && p <= m;) if (i[d] === null) d++;
		else if (i[f] === null) f--;
		else if (s[d] === o[p]) c[p] = J(i[d], a[p]), d++, p++;
		else if (s[f] === o[m]) c[m] = J(i[f], a[m]), f--, m--;
		else if (s[d] === o[m]) c[m] = J(i[d], a[m]), q(e, c[m + 1], i[d]), d++, m--;
		else if (s[f] === o[p]) c[p] = J(i[f], a[p]), q(e, i[d], i[f]), f--, p++;
		else if (l === void 0 && (l = Xt(o, p, m), u = Xt(s, d, f)), l.has(s[d])) {
			if (l.has(s[f])) {
				let t = u.get(o[p]), n = t === void 0 ? null : i[t];
				if (n === null) {
					let t = q(e, i[d]);
					J(t, a[p]), c[p] = t;
				} else c[p] = J(n, a[p]), q(e, i[d], n), i[t] = null;
				p++;
			} else Yt(i[f]), f--;
		} else Yt(i[d]), d++;
		for (; p <= m;) {
			let t = q(e, c[m + 1]);
			J(t, a[p]), c[p++] = t;
		}
		for (; d <= f;) {
			let e = i[d++];
			e !== null && Yt(e);
		}
		return this.ut = o, qt(e, c), E;
	}
}), Qt = "﻿";
function $t(e, t) {
	let n = new Blob([Qt, t], { type: "text/csv;charset=utf-8" }), r = URL.createObjectURL(n), i = document.createElement("a");
	i.href = r, i.download = e, document.body.append(i), i.click(), i.remove(), setTimeout(() => URL.revokeObjectURL(r), 6e4);
}
function en(...e) {
	return e.map((e) => e.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "")).filter((e) => e !== "").join("_");
}
// src/pager.ts
var tn = class {
	constructor(e, t, n) {
		this.host = e, this.idOf = t, this.limit = n, this.items = [], this.busy = !1, this.ids = /* @__PURE__ */ new Set(), this.offset = 0, this.moved = 0, this.ended = !1, this.round = 0;
	}
	get more() {
		return this.source !== void 0 && !this.ended;
	}
	begin(e) {
		return this.source = e, this.items = [], this.ids = /* @__PURE__ */ new Set(), this.offset = 0, this.moved = 0, this.total = void 0, this.ended = !1, this.busy = !1, this.next();
	}
	async refresh() {
		this.source === void 0 || this.busy || await this.fetch(0, ({ items: e, total: t }) => {
			let n = new Map(e.map((e) => [this.idOf(e), e])), r = e.filter((e) => !this.ids.has(this.idOf(e))), i = this.items.map((e) => n.get(this.idOf(e)) ?? e);
			for (let e of r) this.ids.add(this.idOf(e));
			this.items = [...r, ...i], this.offset += Math.max(0, r.length - this.moved), this.moved = Math.max(0, this.moved - r.length), this.total = t;
		});
	}
	async next() {
		this.source === void 0 || this.busy || this.ended || await this.fetch(this.offset, ({ items: e, total: t }) => {
			let n = e.filter((e) => !this.ids.has(this.idOf(e)));
			for (let e of n) this.ids.add(this.idOf(e));
			this.items = [...this.items, ...n], this.offset += e.length, this.moved += e.length - n.length, this.total = t, this.ended = e.length === 0 || this.offset >= t;
		});
	}
	async fetch(e, t) {
		let n = this.source;
		this.round += 1;
		let { round: r } = this;
		this.busy = !0, this.error = void 0, this.host.requestUpdate();
		try {
			let i = await n(e, this.limit);
			if (r !== this.round) return;
			t(i);
		} catch (e) {
			if (r !== this.round) return;
			this.error = e;
		}
		this.busy = !1, this.host.requestUpdate();
	}
}, nn = class {
	constructor(e, t) {
		this.host = e, this.reached = t, e.addController(this);
	}
	hostConnected() {
		this.host.requestUpdate();
	}
	hostUpdated() {
		let e = this.host.renderRoot.querySelector("[data-end]") ?? void 0;
		this.hostDisconnected(), e !== void 0 && typeof IntersectionObserver < "u" && (this.watch = new IntersectionObserver((e) => {
			e.some((e) => e.isIntersecting) && this.reached();
		}), this.watch.observe(e));
	}
	hostDisconnected() {
		this.watch?.disconnect(), this.watch = void 0;
	}
};
// src/tabs/history-session.ts
function rn(e, t, n) {
	let r = Rt(e, t, n);
	return w`
    <span class="when">${Lt(e, t, n)}</span>
    <span class="energy">${W(e, n.energy_kwh)}</span>
    ${n.user === null ? D : w`<span class="who">${n.user}</span>`}
    ${r === void 0 ? D : w`<span class="cost">${r}</span>`}
  `;
}
function an(e, t, n) {
	let r = (e, n) => n === void 0 ? D : w`<div><dt>${t(e)}</dt><dd>${n}</dd></div>`, { source: i = "" } = n.quality;
	return w`
    <dl>
      ${r("history.charged", on(e, n))}
      ${r("history.charged_for", sn(t, n.charging_s))}
      ${r("history.plugged_in_for", sn(t, n.connected_s))}
      ${r("history.max_power", n.max_power_w === null ? void 0 : z(e, n.max_power_w / 1e3))}
      ${r("history.vehicle", n.vehicle ?? void 0)}
      ${r("history.stopped", cn(t, "history.stop.", n.stop_reason))}
      ${r("history.measured", cn(t, "history.source.", i))}
    </dl>
    ${n.slices.length === 0 ? D : ln(e, t, n.slices)}
  `;
}
function on(e, t) {
	let { first_import_utc: n, last_import_utc: r } = t;
	if (n !== null && r !== null) return `${It(e, n)} – ${H(e, new Date(r))}`;
}
function sn(e, t) {
	return t === null ? void 0 : Ot(e, t);
}
function cn(e, t, n) {
	if (!n) return;
	let r = `${t}${n}`;
	return r in et ? e(r) : n;
}
function ln(e, t, n) {
	return w`
    <table>
      <caption>${t("history.slices")}</caption>
      <thead>
        <tr>
          <th scope="col">${t("history.from")}</th>
          <th scope="col">${t("history.energy")}</th>
          <th scope="col">${t("history.price")}</th>
          <th scope="col">${t("history.cost")}</th>
        </tr>
      </thead>
      <tbody>
        ${n.map((n) => un(e, t, n))}
      </tbody>
    </table>
  `;
}
function un(e, t, n) {
	let r = [...n.in_peak ? [t("history.peak")] : [], ...n.grid_event === null ? [] : [t("history.grid_event")]], { price_per_kwh: i, currency: a } = n;
	return w`
    <tr>
      <td>
        ${H(e, new Date(n.start_utc))}
        ${r.map((e) => w`<span class="mark">${e}</span>`)}
      </td>
      <td>${W(e, n.energy_kwh)}</td>
      <td>
        ${i === null ? "–" : B(e, i, a ?? void 0, 4)}
      </td>
      <td>${Rt(e, t, n) ?? "–"}</td>
    </tr>
  `;
}
// src/tabs/history-styles.ts
var dn = o`
  .energy {
    font-weight: 500;
    text-align: end;
  }
  .energy,
  .cost,
  td {
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }
  .who,
  .cost {
    color: var(--lw-muted);
    font-size: 0.875rem;
  }
  .cost {
    grid-column: 2;
    text-align: end;
  }
  .who {
    grid-column: 1;
    overflow-wrap: anywhere;
  }
  table {
    width: 100%;
    margin: 0 0 12px;
    border-collapse: collapse;
    font-size: 0.875rem;
  }
  caption {
    padding: 4px;
    color: var(--lw-muted);
    text-align: start;
  }
  th,
  td {
    padding: 4px;
    text-align: end;
  }
  th {
    color: var(--lw-muted);
    font-weight: 400;
  }
  th:first-child,
  td:first-child {
    text-align: start;
    white-space: normal;
  }
  .mark {
    margin-inline-start: 4px;
    padding: 0 4px;
    border: 1px solid var(--lw-line);
    border-radius: 4px;
    font-size: 0.75rem;
  }
`;
// src/tabs/list-end.ts
function fn(e, t) {
	let n = () => void e.next();
	return e.error === void 0 ? e.busy ? w`<p class="muted">${t("list.loading")}</p>` : e.more ? w`
    <button class="plain" data-end @click=${n}>${t("list.more")}</button>
  ` : D : w`
      <p class="error" role="alert">${I(e.error, t)}</p>
      <button class="plain" @click=${n}>${t("list.again")}</button>
    `;
}
// src/tabs/history-sessions.ts
var pn = 25;
K("loxone-wallbox-history-sessions", class extends G {
	static {
		this.properties = {
			...G.properties,
			filter: { attribute: !1 },
			stamp: { attribute: !1 },
			open: { state: !0 },
			saving: { state: !0 },
			said: { state: !0 },
			failure: { state: !0 }
		};
	}
	static {
		this.styles = [
			F,
			mt,
			dn
		];
	}
	constructor() {
		super(), this.asked = "", this.pager = new tn(this, (e) => e.id, pn), new nn(this, () => void this.pager.next()), this.open = /* @__PURE__ */ new Set(), this.saving = !1, this.said = "";
	}
	willUpdate(e) {
		let t = JSON.stringify([this.wallbox.id, this.filter]);
		if (t !== this.asked) {
			this.asked = t, this.said = "", this.failure = void 0;
			let { id: e } = this.wallbox, { filter: n } = this;
			this.pager.begin((t, r) => At(this.hass, e, n, t, r));
		} else e.has("stamp") && this.pager.refresh();
	}
	render() {
		let { localize: e, pager: t } = this;
		return w`
      <div class="head">
        <h2>
          ${t.total === void 0 ? e("history.sessions") : Pt(e, t.total)}
        </h2>
        <button
          class="plain"
          ?disabled=${this.saving || !t.total}
          @click=${() => void this.save()}
        >
          <ha-icon icon="mdi:download" aria-hidden="true"></ha-icon>
          ${e(this.saving ? "history.downloading" : "history.download")}
        </button>
      </div>
      <p class="hidden" role="status">${this.said}</p>
      ${this.failure === void 0 ? D : w`<p class="error" role="alert">${I(this.failure, e)}</p>`}
      ${t.total === 0 ? w`<p class="muted">${e("history.none")}</p>` : D}
      <ul aria-label=${e("history.list")} aria-busy=${t.busy}>
        ${Zt(t.items, (e) => e.id, (e) => this.row(e))}
        <li class="end">${fn(t, e)}</li>
      </ul>
    `;
	}
	row(e) {
		let { hass: t, localize: n } = this, r = this.open.has(e.id);
		return w`
      <li>
        <details .open=${r} @toggle=${(t) => this.toggled(t, e.id)}>
          <summary>${rn(t, n, e)}</summary>
          ${r ? an(t, n, e) : D}
        </details>
      </li>
    `;
	}
	toggled(e, t) {
		let n = new Set(this.open);
		e.target.open ? n.add(t) : n.delete(t), this.open = n;
	}
	async save() {
		let { filter: e, hass: t, localize: n, wallbox: r } = this;
		this.saving = !0, this.failure = void 0, this.said = n("history.downloading");
		try {
			let i = await Mt(t, r.id, e), { start: a = "", user: o = "" } = e, s = (a === "" ? (/* @__PURE__ */ new Date()).toISOString() : a).slice(0, 10);
			$t(`${en(r.name, o, s)}.csv`, i), this.said = n("history.downloaded");
		} catch (e) {
			this.failure = e, this.said = "";
		}
		this.saving = !1;
	}
});
// src/tabs/history.ts
var Y = "rolling_year", mn = class extends G {
	static {
		this.properties = {
			...G.properties,
			span: { state: !0 },
			user: { state: !0 },
			month: { state: !0 },
			summary: { state: !0 },
			people: { state: !0 },
			firstYear: { state: !0 },
			failure: { state: !0 }
		};
	}
	static {
		this.styles = [
			F,
			mt,
			o`
      :host {
        display: flex;
        flex-direction: column;
        gap: 16px;
        padding: 16px;
      }
      .sum {
        grid-template-columns: repeat(auto-fit, minmax(100px, 1fr));
        margin: 0;
      }
      .sum dd {
        font-size: 1.125rem;
        font-variant-numeric: tabular-nums;
      }
      .notes {
        padding: 0;
        font-size: 0.875rem;
      }
    `
		];
	}
	constructor() {
		super(), this.of = "", this.stamp = "", this.round = 0, this.spanChosen = (e) => {
			let { value: t } = e.target;
			this.span = t === Y ? Y : Number(t), this.month = void 0, this.summary = this.since = void 0;
		}, this.userChosen = (e) => {
			let { value: t } = e.target;
			this.user = t === "" ? void 0 : t;
		}, this.monthChosen = ({ detail: e }) => {
			this.month = e;
		}, this.span = Y, this.people = [];
	}
	willUpdate(e) {
		if (!this.hass.connected) return;
		let { wallbox: t } = this;
		t.id !== this.of && (this.of = t.id, this.span = Y, this.user = this.month = this.summary = this.firstYear = void 0, this.since = void 0, this.people = [], this.findFirstYear());
		let n = JSON.stringify([
			t.id,
			this.span,
			this.user,
			this.news()
		]);
		n !== this.stamp && (this.stamp = n, this.load());
	}
	news() {
		let { wallbox: e } = this;
		return [
			e.value("event.session"),
			e.value("sensor.session_energy"),
			e.value("sensor.last_session_energy")
		].join(" ");
	}
	async load() {
		this.round += 1;
		let { round: e, hass: t, wallbox: n, span: r, user: i } = this;
		try {
			let a = await jt(t, n.id, r, i);
			if (e !== this.round) return;
			this.summary = a, this.since ??= a.start_utc, this.failure = void 0, i === void 0 && (this.people = hn(a));
		} catch (t) {
			if (e !== this.round) return;
			this.failure = t;
		}
	}
	async findFirstYear() {
		let { hass: e, of: t } = this;
		try {
			let { total: n } = await At(e, t, {}, 0, 1);
			if (n === 0) return;
			let { items: r } = await At(e, t, {}, n - 1, 1), [i] = r;
			if (i === void 0 || t !== this.of) return;
			this.firstYear = new Date(i.connected_utc).getFullYear();
		} catch {}
	}
	render() {
		let { localize: e, summary: t, failure: n } = this;
		return n === void 0 ? w`
      ${this.choices()}
      ${t === void 0 ? w`<p class="muted">${e("list.loading")}</p>` : w`${this.sums(t)} ${this.sessions(t)}`}
    ` : w`${this.choices()} ${this.failed(n)}`;
	}
	sessions(e) {
		return w`
      <loxone-wallbox-history-sessions
        .hass=${this.hass}
        .wallbox=${this.wallbox}
        .localize=${this.localize}
        .filter=${this.filter(e)}
        .stamp=${this.news()}
      ></loxone-wallbox-history-sessions>
    `;
	}
	failed(e) {
		let { localize: t } = this;
		return w`
      <p class="error" role="alert">${I(e, t)}</p>
      <button class="plain" @click=${() => void this.load()}>
        ${t("list.again")}
      </button>
    `;
	}
	choices() {
		let { localize: e } = this, t = gn(this.firstYear);
		return w`
      <div class="choices">
        <label>
          ${e("history.period")}
          <select @change=${this.spanChosen}>
            <option value=${Y} .selected=${this.span === Y}>
              ${e("history.rolling_year")}
            </option>
            ${t.map((e) => w`<option value=${e} .selected=${this.span === e}>${e}</option>`)}
          </select>
        </label>
        ${this.people.length === 0 && this.user === void 0 ? D : this.userChoice()}
      </div>
    `;
	}
	userChoice() {
		let { localize: e, people: t, user: n } = this, r = n === void 0 || t.includes(n) ? t : [...t, n];
		return w`
      <label>
        ${e("history.user")}
        <select @change=${this.userChosen}>
          <option value="" .selected=${n === void 0}>
            ${e("history.everybody")}
          </option>
          ${r.map((e) => w`<option value=${e} .selected=${e === n}>${e}</option>`)}
        </select>
      </label>
    `;
	}
	sums(e) {
		let { hass: t, localize: n } = this, r = e.months.find((e) => e.month === this.month);
		return w`
      ${this.figures(r ?? e.total)}
      <loxone-wallbox-history-months
        .hass=${t}
        .localize=${n}
        .months=${e.months}
        .chosen=${r?.month}
        @month-chosen=${this.monthChosen}
      ></loxone-wallbox-history-months>
      ${r === void 0 ? D : w`
            <div class="head">
              <span role="status">
                ${n("history.chosen_month", { month: Ft(t, r.month, "long") })}
              </span>
              <button class="plain" @click=${() => this.letMonthGo()}>
                ${n("history.all")}
              </button>
            </div>
          `}
    `;
	}
	figures(e) {
		let { hass: t, localize: n } = this, { provisional_kwh: r, unknown_kwh: i } = e;
		return w`
      <dl class="sum" aria-label=${n("history.figures")}>
        <div>
          <dt>${n("history.energy")}</dt>
          <dd>${W(t, e.energy_kwh)}</dd>
        </div>
        <div>
          <dt>${n("history.cost")}</dt>
          <dd>${Nt(t, e.costs) ?? "–"}</dd>
        </div>
        <div>
          <dt>${n("history.sessions")}</dt>
          <dd>${e.sessions}</dd>
        </div>
        <div>
          <dt>${n("history.charging_time")}</dt>
          <dd>${Ot(n, e.charging_s)}</dd>
        </div>
      </dl>
      ${this.note("history.provisional", r)}
      ${e.costs.length === 0 ? D : this.note("history.no_price", i)}
    `;
	}
	note(e, t) {
		if (t <= 0) return D;
		let n = W(this.hass, t);
		return w`<p class="muted notes">${this.localize(e, { energy: n })}</p>`;
	}
	filter(e) {
		let t = this.user === void 0 ? {} : { user: this.user }, n = this.span === Y, r = e.months.find((e) => e.month === this.month);
		if (r !== void 0) {
			let i = n && r === e.months.at(-1);
			return {
				start: r.start_utc,
				...i ? {} : { end: r.end_utc },
				...t
			};
		}
		return n ? {
			...this.since ? { start: this.since } : {},
			...t
		} : {
			start: e.start_utc,
			end: e.end_utc,
			...t
		};
	}
	letMonthGo() {
		this.month = void 0;
	}
};
function hn(e) {
	return (e.users ?? []).flatMap(({ user: e }) => e ?? []);
}
function gn(e) {
	let t = (/* @__PURE__ */ new Date()).getFullYear(), n = Math.max(0, t - (e ?? t)) + 1;
	return Array.from({ length: n }, (e, n) => t - n);
}
K("loxone-wallbox-history", mn);
// src/model/plan.ts
var _n = 36e5, vn = 3e4, yn = 3e5, bn = [
	"calendar.plan",
	"sensor.next_change",
	"sensor.reason",
	"sensor.random_delay_ends",
	"sensor.override_ends",
	"sensor.dsr_event",
	"binary_sensor.in_default_hours"
], xn = class {
	constructor(e, t) {
		this.host = e, this.source = t, this.asked = "", this.askedAt = 0, e.addController(this);
	}
	hostConnected() {
		this.timer = setInterval(() => this.host.requestUpdate(), vn), this.host.requestUpdate();
	}
	hostDisconnected() {
		clearInterval(this.timer), this.asked = "";
	}
	hostUpdated() {
		let e = this.source();
		if (e === void 0 || !e.hass.connected) return;
		let t = Math.floor(Date.now() / _n) * _n, n = Sn(e, t);
		n === this.asked && Date.now() - this.askedAt < yn || (this.asked = n, this.askedAt = Date.now(), this.ask(e.hass, e.id, t, n));
	}
	async ask(e, t, n, r) {
		try {
			let i = await e.callWS({
				type: "loxone_wallbox/plan",
				device_id: t,
				start: new Date(n).toISOString(),
				end: new Date(n + 24 * _n).toISOString()
			});
			if (r !== this.asked) return;
			this.plan = i, this.error = void 0;
		} catch (e) {
			if (r !== this.asked) return;
			this.plan = void 0, this.error = e;
		}
		this.host.requestUpdate();
	}
};
function Sn(e, t) {
	let n = bn.map((t) => e.entity(t)).map((e) => e === void 0 ? "" : `${e.state}@${e.last_updated}`);
	return [
		e.id,
		t,
		...n
	].join("|");
}
// src/now/controls.ts
var Cn = [
	"skip_random_delay",
	"dsr_opt_out",
	"resume_schedule",
	"charge_now",
	"pause_now"
], wn = {
	charge_now: "mdi:flash",
	pause_now: "mdi:pause",
	skip_random_delay: "mdi:skip-next",
	dsr_opt_out: "mdi:transmission-tower-off",
	resume_schedule: "mdi:calendar-check"
}, Tn = /* @__PURE__ */ new Set([
	"unreachable",
	"fault",
	"tamper",
	"locked",
	"load_shedding"
]), En = /* @__PURE__ */ new Set([
	"outside_default_hours",
	"paused",
	"override_pause",
	"dsr"
]), Dn = /* @__PURE__ */ new Set(["override_charge", "override_pause"]), On = 5e3;
function kn(e) {
	let t = e.value("sensor.status");
	return t === void 0 || t === "unreachable" || t === "locked" ? [] : Cn.filter((t) => An(t, e) && e.usable(`button.${t}`));
}
function An(e, t) {
	let n = t.value("sensor.reason") ?? "", r = t.isOn("binary_sensor.vehicle_connected") && !Tn.has(t.value("sensor.status") ?? ""), i = t.isOn("binary_sensor.random_delay_active");
	switch (e) {
		case "skip_random_delay": return r && i;
		case "dsr_opt_out": return r && t.isOn("binary_sensor.dsr_active") && !Dn.has(n);
		case "resume_schedule": return Dn.has(n) || jn(t);
		case "charge_now": return r && (En.has(n) || i && Mn(t));
		case "pause_now": return r && n !== "override_pause" && n !== "paused";
	}
}
function jn(e) {
	return e.value("switch.charging_allowed") === "off";
}
function Mn(e) {
	return e.entity("sensor.random_delay_ends")?.attributes.new_limit === 0;
}
K("loxone-wallbox-controls", class extends G {
	static {
		this.properties = {
			...G.properties,
			busy: { state: !0 },
			error: { state: !0 }
		};
	}
	static {
		this.styles = [F, o`
      :host {
        display: contents;
      }
      .controls {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(140px, 1fr));
        gap: 8px;
      }
      .controls[hidden] {
        display: none;
      }
      button {
        display: flex;
        align-items: center;
        justify-content: center;
        gap: 8px;
        min-height: 56px;
        padding: 8px 12px;
        border: 1px solid var(--lw-line);
        border-radius: 12px;
        background: none;
        font-weight: 500;
        line-height: 1.2;
      }
      button:first-child {
        border-color: transparent;
        /* The theme's own colour is too bright for white letters. */
        background: color-mix(in srgb, var(--lw-accent) 70%, #000);
        color: #fff;
      }
      button[aria-disabled="true"] {
        opacity: 0.6;
        cursor: progress;
      }
      .none {
        margin: 0;
        color: var(--lw-muted);
      }
    `];
	}
	disconnectedCallback() {
		super.disconnectedCallback(), clearTimeout(this.settle), this.busy = void 0;
	}
	render() {
		let { wallbox: e, localize: t } = this, n = kn(e), r = Cn.every((t) => e.entityId(`button.${t}`) === void 0);
		return w`
      <div
        class="controls"
        role="group"
        aria-label=${t("now.controls")}
        ?hidden=${n.length === 0}
      >
        ${n.map((e) => w`
            <button
              type="button"
              data-control=${e}
              aria-disabled=${this.busy !== void 0}
              aria-busy=${this.busy === e}
              @click=${() => this.press(e)}
            >
              <ha-icon .icon=${wn[e]}></ha-icon>
              ${t(`now.control.${e}`)}
            </button>
          `)}
      </div>
      ${r ? w`<p class="none">${t("now.no_controls")}</p>` : D}
      ${this.error ? w`<p class="error" role="alert">${this.error}</p>` : D}
    `;
	}
	async press(e) {
		if (this.busy === void 0) {
			clearTimeout(this.settle), this.busy = e, this.error = void 0;
			try {
				await this.carryOut(e), this.settle = setTimeout(() => {
					this.busy = void 0;
				}, On);
			} catch (e) {
				this.error = I(e, this.localize), this.busy = void 0;
			}
		}
	}
	async carryOut(e) {
		let { hass: t, wallbox: n } = this, r = e === "resume_schedule", i = n.value("sensor.reason") ?? "", a = n.entityId(`button.${e}`);
		a !== void 0 && (!r || Dn.has(i)) && await vt(t, "button", "press", a);
		let o = n.entityId("switch.charging_allowed");
		r && o !== void 0 && jn(n) && await vt(t, "switch", "turn_on", o);
	}
	willUpdate() {
		this.busy !== void 0 && !kn(this.wallbox).includes(this.busy) && (clearTimeout(this.settle), this.busy = void 0);
	}
});
// src/now/countdown.ts
var Nn = 1e3;
K("loxone-wallbox-countdown", class extends j {
	static {
		this.properties = {
			label: { attribute: !1 },
			at: { attribute: !1 },
			localize: { attribute: !1 }
		};
	}
	static {
		this.styles = o`
    :host {
      display: block;
    }
    .left {
      font-size: 1.75rem;
      font-variant-numeric: tabular-nums;
      line-height: 1.2;
    }
    .label {
      color: var(--secondary-text-color);
    }
  `;
	}
	connectedCallback() {
		super.connectedCallback(), this.timer = setInterval(() => this.requestUpdate(), Nn);
	}
	disconnectedCallback() {
		super.disconnectedCallback(), clearInterval(this.timer);
	}
	render() {
		let e = (this.at.getTime() - Date.now()) / Nn, t = e > 0 ? kt(this.localize, e) : this.localize("now.until.moment");
		return w`
      <div role="timer" aria-label="${this.label} ${t}">
        <div class="label">${this.label}</div>
        <div class="left">${t}</div>
      </div>
    `;
	}
});
// src/now/story.ts
var Pn = {
	unreachable: "bad",
	fault: "bad",
	tamper: "bad",
	locked: "bad",
	charging: "active",
	random_delay: "waiting",
	dsr: "waiting",
	load_shedding: "waiting",
	phase_switching: "waiting",
	paused: "waiting",
	waiting_for_default_hours: "waiting"
};
function Fn(e) {
	return e === void 0 ? "bad" : Pn[e] ?? "idle";
}
function In(e, t, n, r, i) {
	return {
		headline: r(Ln(`now.status.${t.value("sensor.status") ?? "unknown"}`) ?? "now.status.unknown"),
		because: Rn(e, t, r, i),
		until: Vn(t, n, r, i)
	};
}
function Ln(e) {
	return e in qe ? e : void 0;
}
function Rn(e, t, n, r) {
	let i = t.value("sensor.reason");
	if (i === "fault") {
		let r = zn(e, t);
		return r === void 0 ? n("now.reason.fault") : n("now.reason.fault_named", { fault: r });
	}
	if (i === "override_charge" || i === "override_pause") {
		let a = t.instant("sensor.override_ends");
		return a === void 0 ? n(`now.reason.${i}`) : n(`now.reason.${i}_until`, { time: Dt(e, a, r) });
	}
	let a = t.number("sensor.power_limit");
	if (i === "dsr" && a !== void 0 && a > 0) return n("now.reason.dsr_limit", { limit: Bn(e, t, "sensor.power_limit") });
	if (i === "no_vehicle" && t.value("switch.charging_allowed") === "off") return n("now.reason.paused");
	let o = Ln(`now.reason.${i}`);
	return o && n(o);
}
function zn(e, t) {
	let n = t.entity("binary_sensor.problem");
	if (n?.attributes.fault) return e.formatEntityAttributeValue?.(n, "fault");
}
function Bn(e, t, n) {
	let r = t.entity(n);
	if (r === void 0) return "";
	if (e.formatEntityState !== void 0) return e.formatEntityState(r);
	let i = r.attributes.unit_of_measurement;
	return i ? `${r.state} ${i}` : r.state;
}
function Vn(e, t, n, r) {
	let i = e.instant("sensor.random_delay_ends");
	if (i !== void 0) return {
		label: n(Hn(e)),
		at: i
	};
	let a = e.instant("sensor.override_ends");
	if (a !== void 0 && a > r) return {
		label: n("now.until.override"),
		at: a
	};
	let o = e.instant("sensor.next_change");
	if (!(o === void 0 || o < r)) return {
		label: n(Un(t, o)),
		at: o
	};
}
function Hn(e) {
	let t = e.entity("sensor.random_delay_ends")?.attributes ?? {}, [n, r] = [Number(t.old_limit), Number(t.new_limit)];
	return r === 0 ? "now.until.delay_stop" : n === 0 ? "now.until.delay_start" : r > n ? "now.until.delay_more" : "now.until.delay_less";
}
function Un(e, t) {
	let n = (e) => e !== void 0 && Math.abs(Date.parse(e) - t.getTime()) < 1e3;
	return e?.events.some((e) => n(e.start)) ? "now.until.event_begins" : e?.events.some((e) => n(e.end)) ? "now.until.event_ends" : e?.default_hours.some((e) => n(e.start)) ? "now.until.hours_begin" : e?.default_hours.some((e) => n(e.end)) ? "now.until.hours_end" : "now.until.change";
}
// src/now/facts.ts
var Wn = {
	s: 1,
	min: 60,
	h: 3600,
	d: 86400
};
function Gn(e, t, n) {
	let r = [];
	for (let [i, a] of [["sensor.session_energy", "now.fact.energy"], ["sensor.session_cost", "now.fact.cost"]]) t.value(i) !== void 0 && r.push({
		label: n(a),
		value: Bn(e, t, i)
	});
	let i = Kn(t);
	if (i !== void 0) {
		let e = Ot(n, i);
		r.push({
			label: n("now.fact.charging"),
			value: e
		});
	}
	return r;
}
function Kn(e) {
	let t = "sensor.session_charging_time", n = String(e.entity(t)?.attributes.unit_of_measurement ?? "s"), r = e.number(t), i = Wn[n];
	return r === void 0 || i === void 0 ? void 0 : r * i;
}
// src/now/limit.ts
var X = "number.target_power", qn = "sensor.power_limit", Jn = 600, Yn = 5e3;
function Xn(e) {
	let { min: t, max: n, step: r } = e;
	if (typeof t != "number" || typeof n != "number" || n <= t) return;
	let i = String(e.unit_of_measurement ?? "kW"), a = i === "W" ? 100 : .1;
	return {
		min: t,
		max: n,
		step: Math.max(Number(r) || 0, a),
		unit: i
	};
}
function Zn({ min: e, max: t, step: n }, r) {
	if (r - e < n / 2) return e;
	if (t - r < n / 2) return t;
	let i = Math.round(r / n) * n;
	return Math.min(t, Math.max(e, Number(i.toFixed(3))));
}
K("loxone-wallbox-limit", class extends G {
	static {
		this.properties = {
			...G.properties,
			wish: { state: !0 },
			error: { state: !0 }
		};
	}
	static {
		this.styles = [F, o`
      .head {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 4px 16px;
      }
      .value {
        font-variant-numeric: tabular-nums;
      }
      .force {
        color: var(--lw-muted);
      }
      input {
        width: 100%;
        height: 44px;
        margin: 0;
        appearance: none;
        background: none;
        cursor: pointer;
      }
      input::-webkit-slider-runnable-track {
        height: 6px;
        border-radius: 3px;
        background: linear-gradient(
          to right,
          var(--lw-accent) var(--share),
          var(--lw-line) var(--share)
        );
      }
      input::-moz-range-track {
        height: 6px;
        border-radius: 3px;
        background: var(--lw-line);
      }
      input::-moz-range-progress {
        height: 6px;
        border-radius: 3px;
        background: var(--lw-accent);
      }
      input::-webkit-slider-thumb {
        width: 24px;
        height: 24px;
        margin-top: -9px;
        border-radius: 50%;
        appearance: none;
        background: var(--lw-accent);
      }
      input::-moz-range-thumb {
        width: 24px;
        height: 24px;
        border: none;
        border-radius: 50%;
        background: var(--lw-accent);
      }
      /* Around the whole it would lie over the figures beneath. */
      input:focus-visible {
        outline: none;
      }
      input:focus-visible::-webkit-slider-thumb {
        outline: 2px solid var(--lw-accent);
        outline-offset: 2px;
      }
      input:focus-visible::-moz-range-thumb {
        outline: 2px solid var(--lw-accent);
        outline-offset: 2px;
      }
      input:disabled {
        opacity: 0.5;
        cursor: not-allowed;
      }
      .ends {
        display: flex;
        justify-content: space-between;
        margin-top: -8px;
        color: var(--lw-muted);
        font-size: 0.85rem;
      }
    `];
	}
	disconnectedCallback() {
		super.disconnectedCallback(), clearTimeout(this.timer), this.unsent !== void 0 && this.send(this.unsent);
	}
	render() {
		let { hass: e, wallbox: t, localize: n } = this, r = t.entity(X), i = r && Xn(r.attributes);
		if (i === void 0) return D;
		let a = this.wish ?? t.number(X) ?? i.max, o = this.text(a, i), s = 100 * (a - i.min) / (i.max - i.min);
		return w`
      <div class="head">
        <label for="limit">${n("now.limit")}</label>
        <span class="value">${o}</span>
      </div>
      <input
        id="limit"
        type="range"
        min=${i.min}
        max=${i.max}
        step="any"
        style="--share: ${s}%"
        .value=${String(a)}
        ?disabled=${!t.usable(X)}
        aria-valuetext=${o}
        @input=${(e) => this.move(e, i)}
        @change=${() => this.sendSoon()}
        @keydown=${(e) => this.walk(e, a, i)}
      />
      <div class="ends" aria-hidden="true">
        <span>${this.text(i.min, i)}</span>
        ${this.force(e)}
        <span>${this.text(i.max, i)}</span>
      </div>
      ${this.error ? w`<p class="error" role="alert">${this.error}</p>` : D}
    `;
	}
	force(e) {
		let [t, n] = [this.wallbox.number(X), this.wallbox.number(qn)];
		if (n === void 0 || t === void 0 || Math.abs(n - t) < .005) return D;
		let r = Bn(e, this.wallbox, qn);
		return w`<span class="force">${this.localize("now.limit_in_force", { limit: r })}</span>`;
	}
	text(e, { unit: t }) {
		let n = t === "W" ? 0 : Math.abs(e * 10 - Math.round(e * 10)) < 1e-6 ? 1 : 2;
		return `${R(this.hass, e, n)} ${t}`;
	}
	move(e, t) {
		let n = e.target;
		this.choose(Zn(t, Number(n.value)));
	}
	walk(e, t, n) {
		let r = (n.max - n.min) / 5, i = {
			ArrowRight: n.step,
			ArrowUp: n.step,
			ArrowLeft: -n.step,
			ArrowDown: -n.step,
			PageUp: r,
			PageDown: -r,
			Home: n.min - t,
			End: n.max - t
		}[e.key];
		i !== void 0 && this.wallbox.usable(X) && (e.preventDefault(), this.choose(Zn(n, t + i)), this.sendSoon());
	}
	choose(e) {
		clearTimeout(this.timer), this.wish = e, this.error = void 0;
	}
	sendSoon() {
		this.wish !== void 0 && (clearTimeout(this.timer), this.unsent = this.wish, this.timer = setTimeout(() => void this.send(this.unsent), Jn));
	}
	async send(e) {
		let t = this.wallbox.entityId(X);
		if (this.unsent = void 0, e !== void 0 && t !== void 0) try {
			await vt(this.hass, "number", "set_value", t, { value: e }), this.timer = setTimeout(() => {
				this.wish = void 0;
			}, Yn);
		} catch (e) {
			this.wish = void 0, this.error = I(e, this.localize);
		}
	}
	willUpdate() {
		let e = this.wallbox.number(X);
		e !== void 0 && this.wish !== void 0 && Math.abs(e - this.wish) < .005 && this.unsent === void 0 && (this.wish = void 0);
	}
});
var Qn = 1e4, $n = class {
	constructor(e, t) {
		this.host = e, this.source = t, this.points = [], this.inView = !1, this.attached = !1, this.look = () => {
			let e = this.source(), t = this.attached && this.inView && document.visibilityState === "visible";
			t && e !== void 0 && e.id === this.deviceId || this.stop(), t && e !== void 0 && this.deviceId === void 0 && this.start(e);
		}, e.addController(this);
	}
	get live() {
		return this.unsubscribe !== void 0 && this.coarse !== void 0;
	}
	get watts() {
		return this.live ? this.points.at(-1)?.[1] ?? void 0 : void 0;
	}
	hostConnected() {
		this.attached = !0, document.addEventListener("visibilitychange", this.look), this.observer = new IntersectionObserver((e) => {
			this.inView = e.at(-1)?.isIntersecting ?? !1, this.look();
		}), this.observer.observe(this.host);
	}
	hostDisconnected() {
		this.attached = !1, this.inView = !1, document.removeEventListener("visibilitychange", this.look), this.observer?.disconnect(), this.look();
	}
	hostUpdated() {
		this.look();
	}
	start(e) {
		this.deviceId = e.id;
		let t = !0, n, r = () => {
			n?.().catch(() => void 0), n = void 0;
		};
		this.unsubscribe = () => {
			t = !1, r();
		}, e.hass.connection.subscribeMessage((e) => t && this.take(e), {
			type: "loxone_wallbox/power/subscribe",
			device_id: e.id,
			seconds: 600
		}).then((e) => {
			n = e, t || r();
		}).catch(() => {
			t && this.retry();
		});
	}
	stop() {
		clearTimeout(this.again), this.again = void 0, this.unsubscribe?.(), this.unsubscribe = void 0, this.deviceId = void 0, this.points = [], this.coarse = void 0;
	}
	retry() {
		let e = this.deviceId;
		this.stop(), this.deviceId = e, this.again = setTimeout(() => {
			this.deviceId = void 0, this.look();
		}, Qn), this.host.requestUpdate();
	}
	take(e) {
		if (e.ended !== void 0) {
			this.unsubscribe = void 0, this.retry();
			return;
		}
		e.coarse !== void 0 && (this.coarse = e.coarse, this.points = []), this.points = [...this.points, ...e.points ?? []];
		let t = (this.points.at(-1)?.[0] ?? 0) - 600;
		this.points = this.points.filter(([e]) => e >= t), this.host.requestUpdate();
	}
}, er = 300, tr = 48, nr = 100;
function rr(e, t) {
	let n = e.at(-1)?.[0] ?? 0, r = "M", i = "";
	for (let [a, o] of e) {
		if (o === null) {
			r = "M";
			continue;
		}
		let e = er * (1 - (n - a) / 600), s = tr - Math.max(0, o) / t * 46 - 1;
		i += `${r}${e.toFixed(1)} ${s.toFixed(1)}`, r = "L";
	}
	return i;
}
K("loxone-wallbox-power", class extends G {
	constructor(...e) {
		super(...e), this.feed = new $n(this, () => this.wallbox);
	}
	static {
		this.styles = [F, o`
      .power {
        font-size: 2rem;
        font-variant-numeric: tabular-nums;
        line-height: 1.2;
      }
      .label,
      .source {
        color: var(--lw-muted);
      }
      .source {
        font-size: 0.85rem;
      }
      svg {
        display: block;
        width: 100%;
        height: 48px;
      }
      path {
        fill: none;
        stroke: var(--lw-accent);
        stroke-width: 2;
        stroke-linejoin: round;
        vector-effect: non-scaling-stroke;
      }
    `];
	}
	render() {
		let { hass: e, localize: t, feed: n } = this, r = n.watts ?? this.told();
		if (r === void 0) return w`<p class="source">${t("now.power_unknown")}</p>`;
		let i = n.coarse ? "now.power_coarse" : "now.power_measured";
		return w`
      <div class="label">${t("now.power")}</div>
      <div class="power">${z(e, r / 1e3)}</div>
      ${n.live ? w`<div class="source">${t(i)}</div>` : D}
      ${this.trend()}
    `;
	}
	told() {
		if (this.feed.live) return;
		let e = this.wallbox.entity("sensor.charging_power")?.attributes.unit_of_measurement, t = this.wallbox.number("sensor.charging_power");
		return t === void 0 ? void 0 : t * (e === "kW" ? 1e3 : 1);
	}
	trend() {
		let { hass: e, localize: t, feed: n } = this, r = Math.max(0, ...n.points.map(([, e]) => e ?? 0));
		return r < nr ? D : w`
      <svg
        viewBox="0 0 ${er} ${tr}"
        preserveAspectRatio="none"
        role="img"
        aria-label=${t("now.power_trend", { most: z(e, r / 1e3) })}
      >
        ${T`<path d=${rr(n.points, r)}></path>`}
      </svg>
    `;
	}
});
// src/now/lanes.ts
function ir(e, t, n, r) {
	let i = (i, a, o) => ({
		key: i,
		label: n(a),
		bars: o.map((e) => or(t, e)).filter((e) => e.to > e.from),
		times: o.map((i) => sr(e, t, i, n, r)).join(", ")
	}), { delay: a, override: o } = t, s = t.events.filter((e) => Date.parse(e.end) > r.getTime()).map((t) => ({
		...t,
		note: n(`now.event.${t.kind}`, { limit: z(e, t.limit_kw ?? 0) })
	}));
	return [
		i("delay", "now.lane.delay", a === null ? [] : [a]),
		o === null ? void 0 : i("override", `now.lane.override_${o.mode}`, [{
			start: o.start,
			end: o.end ?? t.end,
			open: !o.end
		}]),
		i("events", "now.lane.events", s),
		i("hours", "now.lane.hours", t.default_hours),
		i("peak", "now.lane.peak", t.peak)
	].filter((e) => e !== void 0).filter((e) => e.bars.length > 0);
}
function ar(e, t) {
	let [n, r] = [Date.parse(e.start), Date.parse(e.end)];
	return Math.min(1, Math.max(0, (t - n) / (r - n)));
}
function or(e, t) {
	return {
		from: ar(e, Date.parse(t.start)),
		to: ar(e, Date.parse(t.end))
	};
}
function sr(e, t, n, r, i) {
	let a = n.note ? ` (${n.note})` : "";
	if (n.open) return `${r("now.lane.until_unplugged")}${a}`;
	if (cr(n, t)) return `${r("now.lane.all")}${a}`;
	let [o, s] = [new Date(n.start), new Date(n.end)];
	return `${r("time.span", {
		start: o > i ? Dt(e, o, i) : H(e, o),
		end: H(e, s)
	})}${a}`;
}
function cr(e, t) {
	return Date.parse(e.start) <= Date.parse(t.start) && Date.parse(e.end) >= Date.parse(t.end);
}
function lr(e, t) {
	let n = t.prices;
	if (n.length === 0) return;
	let r = n.map((e) => e.per_kwh), [i, a] = [Math.min(0, ...r), Math.max(0, ...r)], o = a - i || 1;
	return {
		bars: n.map((e) => ({
			...or(t, e),
			height: Math.abs(e.per_kwh) / o,
			negative: e.per_kwh < 0,
			provisional: e.provisional
		})),
		range: ur(e, n),
		provisional: n.some((e) => e.provisional)
	};
}
function ur(e, t) {
	let n = t.map((e) => e.per_kwh), r = t[0]?.currency, i = n.every((e) => Math.abs(e * 100 - Math.round(e * 100)) < 1e-9) ? 2 : 4, a = (t) => B(e, t, r, i), [o, s] = [Math.min(...n), Math.max(...n)];
	return o === s ? a(o) : `${a(o)} – ${a(s)}`;
}
function dr(e, t, n) {
	let r = Date.parse(e.end), i = [];
	for (let a = Date.parse(e.start); a < r; a += 36e5) {
		let e = new Date(a);
		t(e) % n === 0 && i.push(e);
	}
	return i;
}
// src/now/timeline.ts
var fr = 44, pr = 14, mr = 20, hr = 6, gr = T`
  <pattern id="peak" width="5" height="5" patternUnits="userSpaceOnUse"
    patternTransform="rotate(45)">
    <path d="M1.5 0V5"></path>
  </pattern>
`, _r = class extends G {
	static {
		this.properties = {
			...G.properties,
			plan: { attribute: !1 },
			now: { attribute: !1 }
		};
	}
	static {
		this.styles = [F, o`
      figure {
        margin: 0;
      }
      figcaption {
        margin-bottom: 8px;
        color: var(--lw-muted);
      }
      svg {
        display: block;
        width: 100%;
        overflow: visible;
      }
      text {
        fill: var(--lw-muted);
        font-size: 12px;
      }
      .grid {
        stroke: var(--lw-line);
      }
      .now {
        stroke: var(--primary-text-color);
        stroke-width: 2;
      }
      .hours {
        fill: var(--green-color, #4caf50);
        background: var(--green-color, #4caf50);
      }
      .peak {
        --peak: var(--red-color, #f44336);
        fill: url(#peak);
        background: repeating-linear-gradient(
          135deg,
          var(--peak) 0 3px,
          transparent 3px 5px
        );
      }
      #peak path {
        stroke: var(--red-color, #f44336);
        stroke-width: 3;
      }
      .events {
        fill: var(--orange-color, #ff9800);
        background: var(--orange-color, #ff9800);
      }
      .override {
        fill: var(--blue-color, #2196f3);
        background: var(--blue-color, #2196f3);
      }
      .delay {
        fill: var(--purple-color, #926bc7);
        background: var(--purple-color, #926bc7);
      }
      .prices {
        fill: var(--cyan-color, #00bcd4);
        background: var(--cyan-color, #00bcd4);
      }
      .provisional {
        opacity: 0.45;
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(220px, 1fr));
        gap: 4px 16px;
        margin: 8px 0 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        align-items: baseline;
        gap: 8px;
        line-height: 1.4;
      }
      i {
        flex: none;
        width: 12px;
        height: 12px;
        border-radius: 3px;
      }
      .times {
        color: var(--lw-muted);
      }
    `];
	}
	render() {
		let { hass: e, plan: t, localize: n } = this, r = ir(e, t, n, this.now), i = lr(e, t), a = r.length === 0 && i === void 0;
		return w`
      <figure>
        <figcaption>${n("now.plan")}</figcaption>
        ${a ? w`<p>${n("now.plan_empty")}</p>` : this.picture(r, i)}
        <ul>
          ${r.map((e) => this.words(e.key, e.label, e.times))}
          ${i === void 0 ? D : this.priceWords(i)}
        </ul>
      </figure>
    `;
	}
	words(e, t, n) {
		return w`
      <li><i class=${e}></i><span>${t} <span class="times">${n}</span></span></li>
    `;
	}
	priceWords({ range: e, provisional: t }) {
		let n = t ? ` (${this.localize("now.lane.provisional")})` : "";
		return this.words("prices", this.localize("now.lane.prices"), e + n);
	}
	picture(e, t) {
		let n = t === void 0 ? 0 : 48, r = n + e.length * 18, i = `${ar(this.plan, this.now.getTime()) * 100}%`;
		return w`
      <svg height=${r + mr} aria-hidden="true">
        ${gr}
        ${this.axis(r)}
        ${t === void 0 ? D : yr(t)}
        ${e.map((e, t) => vr(e, n + t * 18))}
        ${T`<line class="now" x1=${i} x2=${i} y1="0" y2=${r}></line>`}
      </svg>
    `;
	}
	axis(e) {
		let { hass: t, plan: n } = this;
		return dr(n, (e) => Et(t, e), hr).map((r) => {
			let i = ar(n, r.getTime()), a = `${i * 100}%`, o = i < .05 ? "start" : i > .95 ? "end" : "middle";
			return T`
        <line class="grid" x1=${a} x2=${a} y1="0" y2=${e}></line>
        <text x=${a} y=${e + 14} text-anchor=${o}>${H(t, r)}</text>
      `;
		});
	}
};
function vr(e, t) {
	return e.bars.map(({ from: n, to: r }) => T`
      <rect
        class=${e.key} x="${n * 100}%" y=${t} rx="3"
        width="${Math.max(.4, (r - n) * 100)}%" height=${pr}
      ></rect>
    `);
}
function yr({ bars: e }) {
	let t = fr * (1 - Math.max(0, ...e.map((e) => e.negative ? e.height : 0)));
	return e.map((e) => {
		let n = Math.max(1, e.height * fr);
		return T`
      <rect
        class="prices ${e.provisional ? "provisional" : ""}"
        x="${e.from * 100}%" y=${e.negative ? t : t - n}
        width="${(e.to - e.from) * 100}%" height=${n}
      ></rect>
    `;
	});
}
K("loxone-wallbox-timeline", _r), K("loxone-wallbox-now", class extends G {
	constructor(...e) {
		super(...e), this.feed = new xn(this, () => this.wallbox);
	}
	static {
		this.styles = [F, o`
      :host {
        display: grid;
        gap: 16px;
        padding: 16px;
        container-type: inline-size;
      }
      .story {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 8px 24px;
        align-items: start;
        padding-left: 12px;
        border-left: 4px solid var(--mood, var(--lw-line));
      }
      .bad {
        --mood: var(--lw-bad);
      }
      .active {
        --mood: var(--lw-good);
      }
      .waiting {
        --mood: var(--lw-warn);
      }
      h2 {
        margin: 0;
        font-size: 1.4rem;
        font-weight: 500;
        line-height: 1.25;
      }
      .because {
        margin: 4px 0 0;
        color: var(--lw-muted);
        line-height: 1.4;
      }
      loxone-wallbox-countdown {
        text-align: right;
      }
      .pair {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(180px, 1fr));
        gap: 16px 24px;
      }
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 4px 16px;
        align-content: start;
        margin: 0;
      }
      .caption {
        margin-bottom: 4px;
        color: var(--lw-muted);
      }
      dd {
        margin: 0;
        text-align: right;
        font-variant-numeric: tabular-nums;
      }
      @container (max-width: 360px) {
        .story {
          grid-template-columns: 1fr;
        }
        loxone-wallbox-countdown {
          text-align: left;
        }
      }
    `];
	}
	render() {
		let { hass: e, wallbox: t, localize: n } = this, r = /* @__PURE__ */ new Date(), i = In(e, t, this.feed.plan, n, r), a = {
			hass: e,
			wallbox: t,
			localize: n
		};
		return w`
      ${this.story(i)}
      <loxone-wallbox-controls
        .hass=${a.hass} .wallbox=${a.wallbox} .localize=${a.localize}
      ></loxone-wallbox-controls>
      <div class="pair">
        <loxone-wallbox-power
          .hass=${a.hass} .wallbox=${a.wallbox} .localize=${a.localize}
        ></loxone-wallbox-power>
        ${this.session()}
      </div>
      <loxone-wallbox-limit
        .hass=${a.hass} .wallbox=${a.wallbox} .localize=${a.localize}
      ></loxone-wallbox-limit>
      ${this.timeline(r)}
    `;
	}
	story({ headline: e, because: t, until: n }) {
		return w`
      <div class="story ${Fn(this.wallbox.value("sensor.status"))}">
        <div role="status" aria-live="polite" aria-atomic="true">
          <h2>${e}</h2>
          ${t ? w`<p class="because">${t}</p>` : D}
        </div>
        ${n === void 0 ? D : w`
                <loxone-wallbox-countdown
                  .label=${n.label} .at=${n.at} .localize=${this.localize}
                ></loxone-wallbox-countdown>
              `}
      </div>
    `;
	}
	session() {
		let { hass: e, wallbox: t, localize: n } = this, r = Gn(e, t, n);
		return r.length === 0 ? D : w`
      <div>
        <div class="caption">${n(t.isOn("binary_sensor.vehicle_connected") ? "now.session" : "now.last_session")}</div>
        <dl>
        ${r.map((e) => w`<dt>${e.label}</dt><dd>${e.value}</dd>`)}
        </dl>
      </div>
    `;
	}
	timeline(e) {
		let { plan: t, error: n } = this.feed;
		if (n !== void 0) {
			let e = ht(n, this.localize);
			return w`
        <p class="error">${this.localize("now.plan_failed", { message: e })}</p>
      `;
		}
		return t === void 0 ? D : w`
      <loxone-wallbox-timeline
        .hass=${this.hass} .wallbox=${this.wallbox} .localize=${this.localize}
        .plan=${t} .now=${e}
      ></loxone-wallbox-timeline>
    `;
	}
});
// src/model/security.ts
var br = [
	"tamper_on",
	"tamper_off",
	"meter_link_lost",
	"meter_link_restored",
	"meter_replaced",
	"auth_failed",
	"auth_locked",
	"action_denied",
	"override_refused",
	"invalid_input",
	"identity_changed",
	"firmware_changed",
	"tls_changed",
	"config_security_changed",
	"clock_step",
	"data_deleted",
	"log_rotated",
	"chain_broken",
	"fallback_test"
];
async function xr(e, t, n, r, i) {
	let { records: a, total: o } = await L(e, e.callWS({
		type: "loxone_wallbox/security/list",
		device_id: t,
		...n === void 0 ? {} : { kinds: [n] },
		offset: r,
		limit: i
	}));
	return {
		items: a,
		total: o
	};
}
function Sr(e, t) {
	return yt(e, "verify_security_log", { device_id: [t] });
}
function Cr(e, t) {
	return e.localize?.(`component.loxone_wallbox.entity.event.security.state_attributes.event_type.state.${t}`) || t.replaceAll("_", " ");
}
// src/tabs/security.ts
var wr = 50;
K("loxone-wallbox-security", class extends G {
	static {
		this.properties = {
			...G.properties,
			kind: { state: !0 },
			open: { state: !0 },
			verdict: { state: !0 },
			verifying: { state: !0 },
			failure: { state: !0 }
		};
	}
	static {
		this.styles = [
			F,
			mt,
			o`
      :host {
        display: flex;
        flex-direction: column;
        gap: 12px;
        padding: 16px;
      }
      .verdict {
        margin: 0;
        padding: 8px 12px;
        border-left: 4px solid var(--lw-good);
        line-height: 1.4;
      }
      .verdict.broken {
        border-left-color: var(--lw-bad);
      }
      .verdict:empty {
        display: none;
      }
      .when {
        text-align: end;
      }
      .when,
      .outcome,
      .source {
        color: var(--lw-muted);
        font-size: 0.875rem;
      }
      .source {
        text-align: end;
      }
      .refused .kind::after {
        content: " •";
        color: var(--lw-bad);
      }
      .hash {
        font-family: var(--ha-font-family-code, monospace);
        font-size: 0.75rem;
      }
    `
		];
	}
	constructor() {
		super(), this.asked = "", this.pager = new tn(this, (e) => e.seq, wr), this.kindChosen = (e) => {
			let { value: t } = e.target;
			this.kind = t === "" ? void 0 : t;
		}, new nn(this, () => void this.pager.next()), this.open = /* @__PURE__ */ new Set(), this.verifying = !1;
	}
	willUpdate(e) {
		let { hass: t, wallbox: n, kind: r } = this;
		if (!t.connected) return;
		let i = JSON.stringify([n.id, r]), a = n.value("event.security");
		i === this.asked ? a !== this.stamp && this.pager.refresh() : (this.asked.startsWith(`["${n.id}"`) || (this.verdict = void 0), this.pager.begin((e, t) => xr(this.hass, n.id, r, e, t))), this.asked = i, this.stamp = a;
	}
	render() {
		let { localize: e, pager: t, verifying: n } = this;
		return w`
      <div class="choices">
        <label>
          ${e("security.kind")}
          <select @change=${this.kindChosen}>
            <option value="">${e("security.all")}</option>
            ${br.map((e) => w`<option value=${e}>${Cr(this.hass, e)}</option>`)}
          </select>
        </label>
      </div>
      <div class="head">
        <h2>${t.total === void 0 ? D : this.count(t.total)}</h2>
        <button class="plain" ?disabled=${n} @click=${() => void this.verify()}>
          <ha-icon icon="mdi:shield-check-outline" aria-hidden="true"></ha-icon>
          ${e(n ? "security.verifying" : "security.verify")}
        </button>
      </div>
      <p class="verdict ${this.verdict?.whole === !1 ? "broken" : ""}" role="status">${this.verdictText()}</p>
      ${this.failure === void 0 ? D : w`<p class="error" role="alert">${I(this.failure, e)}</p>`}
      ${t.total === 0 ? w`<p class="muted">${e("security.none")}</p>` : D}
      <ul aria-label=${e("security.list")} aria-busy=${t.busy}>
        ${Zt(t.items, (e) => e.seq, (e) => this.row(e))}
        <li class="end">${fn(t, e)}</li>
      </ul>
    `;
	}
	row(e) {
		let { hass: t } = this, n = this.open.has(e.seq);
		return w`
      <li class=${e.outcome === "attempt_failed" ? "refused" : ""}>
        <details .open=${n} @toggle=${(t) => this.toggled(t, e.seq)}>
          <summary>
            <span class="kind">${Cr(t, e.kind)}</span>
            <span class="when">${It(t, e.utc)}</span>
            <span class="outcome">${this.word("security.outcome.", e.outcome)}</span>
            <span class="source">${this.source(e.source)}</span>
          </summary>
          ${n ? this.details(e) : D}
        </details>
      </li>
    `;
	}
	details(e) {
		let { localize: t } = this, n = Object.entries(e.detail).map(([e, t]) => [e.replaceAll("_", " "), String(t)]);
		return w`
      <dl>
        <div><dt>${t("security.number")}</dt><dd>${e.seq}</dd></div>
        <div><dt>UTC</dt><dd>${e.utc}</dd></div>
        ${n.map(([e, t]) => w`<div><dt>${e}</dt><dd>${t}</dd></div>`)}
      </dl>
      <dl class="whole">
        <div>
          <dt>${t("security.hash")}</dt>
          <dd class="hash">${e.hash}</dd>
        </div>
      </dl>
    `;
	}
	source(e) {
		let [t = "", n] = e.split(":");
		return t === "ha_user" ? n === "deleted" ? this.localize("security.source.deleted") : this.localize("security.source.ha_user", { user: n ?? "" }) : this.word("security.source.", t);
	}
	word(e, t) {
		let n = `${e}${t}`;
		return n in et ? this.localize(n) : t;
	}
	count(e) {
		return e === 1 ? this.localize("security.count_one") : this.localize("security.count", { count: e });
	}
	verdictText() {
		let { verdict: e, localize: t } = this;
		return e === void 0 ? "" : e.whole ? t("security.whole", { records: this.count(e.records) }) : t("security.broken", { record: e.broken_seq ?? "?" });
	}
	toggled(e, t) {
		let n = new Set(this.open);
		e.target.open ? n.add(t) : n.delete(t), this.open = n;
	}
	async verify() {
		this.verifying = !0, this.failure = void 0, this.verdict = void 0;
		try {
			this.verdict = await Sr(this.hass, this.wallbox.id);
		} catch (e) {
			this.failure = e;
		}
		this.verifying = !1;
	}
});
// src/tabs/index.ts
var Tr = [
	{
		key: "now",
		label: "now.tab",
		icon: "mdi:ev-station",
		admin: !1,
		render: ({ hass: e, wallbox: t, localize: n }) => w`
      <loxone-wallbox-now
        .hass=${e}
        .wallbox=${t}
        .localize=${n}
      ></loxone-wallbox-now>
    `
	},
	{
		key: "history",
		label: "history.tab",
		icon: "mdi:history",
		admin: !1,
		render: ({ hass: e, wallbox: t, localize: n }) => w`
      <loxone-wallbox-history
        .hass=${e}
        .wallbox=${t}
        .localize=${n}
      ></loxone-wallbox-history>
    `
	},
	{
		key: "security",
		label: "security.tab",
		icon: "mdi:shield-outline",
		admin: !0,
		render: ({ hass: e, wallbox: t, localize: n }) => w`
      <loxone-wallbox-security
        .hass=${e}
        .wallbox=${t}
        .localize=${n}
      ></loxone-wallbox-security>
    `
	}
], Er = "loxone-wallbox-card";
K(Er, class extends j {
	constructor(...e) {
		super(...e), this.localize = P("en");
	}
	static {
		this.properties = {
			hass: { attribute: !1 },
			config: { state: !0 },
			chosen: { state: !0 },
			failure: { state: !0 }
		};
	}
	static {
		this.styles = pt;
	}
	static getStubConfig(e) {
		let [t] = st(e);
		return { device_id: t ?? "" };
	}
	static getConfigForm() {
		return lt();
	}
	setConfig(e) {
		this.config = Le(e), this.chosen = void 0, this.failure = void 0, this.wallbox = void 0;
	}
	getCardSize() {
		return 8;
	}
	getGridOptions() {
		return {
			columns: 12,
			rows: "auto",
			min_columns: 6
		};
	}
	shouldUpdate(e) {
		if (this.hass === void 0 || this.config === void 0) return !1;
		this.localize = P(N(this.hass));
		let t = this.wallbox;
		return this.wallbox = rt.of(this.hass, this.config.device_id), e.size > 1 || !e.has("hass") || this.wallbox === void 0 || t === void 0 || this.wallbox.differs(t);
	}
	willUpdate() {
		let { hass: e, config: t } = this;
		e !== void 0 && t !== void 0 && (e.devices[t.device_id] === void 0 || ot(e, t.device_id) ? this.failure = void 0 : this.failure === void 0 && this.showFailure());
	}
	async showFailure() {
		let { localize: e } = this;
		this.failure = await ft(e("card.not_ours_title"), e("card.not_ours"));
	}
	render() {
		let { hass: e, wallbox: t, localize: n } = this;
		if (this.failure !== void 0) return w`${this.failure}`;
		if (e === void 0 || t === void 0) return this.sentence(n("card.removed"));
		if (!t.hasEntities) return this.sentence(n("card.no_entities"));
		let r = this.tabs(), i = r.find((e) => e.key === this.chosen) ?? r[0], a = this.config?.title ?? t.name;
		return w`
      <ha-card>
        ${a === "" ? D : w`<h1 class="title">${a}</h1>`}
        ${r.length > 1 ? this.tabBar(r, i) : D}
        ${e.connected ? D : w`<p class="sentence" role="status">${n("card.disconnected")}</p>`}
        <div id="view" role=${r.length > 1 ? "tabpanel" : D}>
          ${i?.render({
			hass: e,
			wallbox: t,
			localize: n
		}) ?? w`<p class="sentence" role="status">${n("card.only_admin")}</p>`}
        </div>
      </ha-card>
    `;
	}
	tabs() {
		let { tabs: e = [] } = this.config ?? {}, t = e.length === 0 ? M : e, n = this.hass?.user?.is_admin ?? !1;
		return Tr.filter((e) => t.includes(e.key) && (n || !e.admin));
	}
	tabBar(e, t) {
		return w`
      <div class="tabs" role="tablist" aria-label=${this.localize("card.tabs")}>
        ${e.map((n) => w`
            <button
              role="tab"
              aria-selected=${n === t}
              aria-controls="view"
              tabindex=${n === t ? 0 : -1}
              @click=${() => this.choose(n)}
              @keydown=${(t) => this.walk(t, e, n)}
            >
              <ha-icon .icon=${n.icon}></ha-icon>
              <span>${this.localize(n.label)}</span>
            </button>
          `)}
      </div>
    `;
	}
	choose(e) {
		this.chosen = e.key;
	}
	walk(e, t, n) {
		let r = t.indexOf(n), i = {
			ArrowRight: r + 1,
			ArrowLeft: r - 1,
			Home: 0,
			End: t.length - 1
		}[e.key], a = i === void 0 ? void 0 : t[(i + t.length) % t.length];
		a !== void 0 && (e.preventDefault(), this.choose(a), this.renderRoot.querySelectorAll("[role=tab]")[t.indexOf(a)]?.focus());
	}
	sentence(e) {
		return w`<ha-card><p class="sentence" role="status">${e}</p></ha-card>`;
	}
});
// src/strategy.ts
var Dr = "loxone-wallbox", Or = "custom:loxone-wallbox-card", kr = class extends HTMLElement {
	static {
		this.registryDependencies = ["entities", "devices"];
	}
	static {
		this.noEditor = !0;
	}
	static getCreateSuggestions(e) {
		return {
			title: P(N(e))("strategy.name"),
			icon: "mdi:ev-station"
		};
	}
	static async generate(e, t) {
		let n = P(N(t)), r = Ar(e, t), i = r.map((e) => Pr(e, n));
		return r.length === 0 && i.push(Mr(n)), r.length > 1 && i.unshift(Nr(r, n)), {
			title: n("strategy.name"),
			views: i
		};
	}
};
function Ar(e, t) {
	return (e.devices ?? st(t)).map((e) => rt.of(t, e)).filter((e) => e !== void 0);
}
function jr(e, t, n) {
	return {
		title: e,
		path: t,
		type: "sections",
		max_columns: 3,
		sections: n
	};
}
function Mr(e) {
	let t = {
		type: "markdown",
		content: e("strategy.none")
	};
	return jr(e("strategy.name"), "none", [{
		type: "grid",
		cards: [t]
	}]);
}
function Nr(e, t) {
	let n = e.flatMap((e) => e.entityId("sensor.energy_total") ?? []), r = e.flatMap((e) => e.entityId("sensor.charging_power") ?? []);
	return jr(t("strategy.overview"), "overview", Fr(...e.map((e) => [{
		type: Or,
		device_id: e.id,
		tabs: ["now"],
		...Z
	}, ...$(e, "sensor.month_energy", "sensor.rolling_year_energy")]), Q(t("strategy.energy"), [...zr(n, t), ...Br(r, t)])));
}
function Pr(e, t) {
	return jr(e.name, `wallbox-${e.id}`, Fr([{
		type: Or,
		device_id: e.id,
		...Z
	}], Q(t("strategy.controls"), Ir(e)), Q(t("strategy.energy"), Lr(e, t)), Q(t("strategy.plan"), Rr(e)), Q(t("strategy.logbook"), [{
		type: "logbook",
		target: { device_id: [e.id] },
		hours_to_show: 48,
		...Z
	}])));
}
var Z = { grid_options: { columns: "full" } };
function Fr(...e) {
	return e.filter((e) => e.length > 0).map((e) => ({
		type: "grid",
		cards: e
	}));
}
function Q(e, t) {
	return t.length === 0 ? [] : [{
		type: "heading",
		heading: e
	}, ...t];
}
function Ir(e) {
	let t = {
		features: [{
			type: "numeric-input",
			style: "slider"
		}],
		...Z
	}, n = {
		features: [{ type: "select-options" }],
		...Z
	};
	return [
		...$(e, "switch.charging_allowed", "switch.default_hours"),
		...$(e, "number.target_power").map((e) => ({
			...e,
			...t
		})),
		...$(e, "select.charge_mode").map((e) => ({
			...e,
			...n
		}))
	];
}
function Lr(e, t) {
	let n = e.entityId("sensor.energy_total"), r = e.entityId("sensor.charging_power");
	return [
		...$(e, "sensor.session_energy", "sensor.session_cost", "sensor.month_energy", "sensor.rolling_year_energy"),
		...zr(n === void 0 ? [] : [n], t),
		...Br(r === void 0 ? [] : [r], t)
	];
}
function Rr(e) {
	let t = [e.entityId("calendar.plan"), e.entityId("calendar.sessions")].filter((e) => e !== void 0);
	return t.length === 0 ? [] : [{
		type: "calendar",
		entities: t,
		initial_view: "listWeek",
		...Z
	}];
}
function zr(e, t) {
	return e.length === 0 ? [] : [{
		type: "statistics-graph",
		title: t("strategy.by_day"),
		entities: e,
		chart_type: "bar",
		period: "day",
		days_to_show: 30,
		stat_types: ["change"],
		...Z
	}];
}
function Br(e, t) {
	return e.length === 0 ? [] : [{
		type: "history-graph",
		title: t("strategy.power"),
		entities: e,
		hours_to_show: 24,
		...Z
	}];
}
function $(e, ...t) {
	return t.flatMap((t) => {
		let n = e.entityId(t);
		return n === void 0 ? [] : [{
			type: "tile",
			entity: n,
			name: { type: "entity" }
		}];
	});
}
K(`ll-strategy-dashboard-${Dr}`, kr);
// src/announce.ts
var Vr = "https://github.com/loxone-wallbox/loxone-wallbox/blob/main/docs/card.md", Hr = P(N({ language: navigator.language }));
function Ur(e, t) {
	e.some(({ type: e }) => e === t.type) || e.push(t);
}
function Wr() {
	window.customCards ??= [], Ur(window.customCards, {
		type: Er,
		name: Hr("card.name"),
		description: Hr("card.description"),
		preview: !0,
		documentationURL: Vr,
		getEntitySuggestion: (e, t) => {
			let n = e.entities[t], r = n?.platform === "loxone_wallbox" ? n.device_id : void 0;
			return !r || !ot(e, r) ? null : { config: {
				type: `custom:${Er}`,
				device_id: r
			} };
		}
	}), window.customStrategies ??= [], Ur(window.customStrategies, {
		type: Dr,
		strategyType: "dashboard",
		name: Hr("strategy.name"),
		description: Hr("strategy.description"),
		documentationURL: Vr
	});
}
Wr(), Object.assign(window, { loxoneWallboxCard: "0.1.0" });
