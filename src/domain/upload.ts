import type { AssetsDraft } from "./assets/assets-draft.ts";
import type { Binding, SecretText } from "./binding.ts";
import type { ModuleType, Syntax } from "./version.ts";

/** One part of an upload as it came: its name is checked by `decideUpload`, not before. */
export interface UploadedModule {
  readonly name: string;
  /** `application/javascript+module`, … without parameters, lower case. */
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** A parsed upload body: the `metadata` object and the file parts. */
export interface Upload {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly modules: readonly UploadedModule[];
}

/** A binding that is to be taken over from the latest version under `oldName`. */
export interface InheritedBinding {
  readonly name: string;
  readonly oldName: string;
}

/** An upload that passed every check that needs no storage and no runtime. */
export interface VersionDraft {
  readonly syntax: Syntax;
  readonly mainModule: string;
  readonly modules: readonly {
    readonly name: string;
    readonly type: ModuleType;
    readonly bytes: Uint8Array;
  }[];
  /** Spelled-out bindings, in order; secret_text ones without their text. */
  readonly bindings: readonly Binding[];
  readonly secrets: readonly SecretText[];
  readonly inherited: readonly InheritedBinding[];
  /** Binding types of which all that the latest version has and this upload does not name are kept. */
  readonly keepBindingTypes: readonly string[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly annotations: {
    readonly message?: string;
    readonly tag?: string;
    readonly alias?: string;
    readonly other: Readonly<Record<string, string>>;
  };
  /** Further versioned settings, verbatim: limits, placement, usage_model, cache_options, … */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Static assets, if the version is to have any. */
  readonly assets?: AssetsDraft;
  /** The `migrations` object, if the upload has one. */
  readonly migrations?: Readonly<Record<string, unknown>>;
  /** Sentences for the answer's `messages`: what was changed without being refused. */
  readonly notices: readonly string[];
}
