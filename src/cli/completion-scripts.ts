/** Shells that can be told how to complete. */
export const completionShells = ["bash", "zsh", "fish"] as const;
export type CompletionShell = (typeof completionShells)[number];

const bash = `# bash completion of sealtree; load it with: source <(sealtree completion bash)
_sealtree() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <(sealtree __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == */ ]]; then
    compopt -o nospace
  fi
}
complete -o bashdefault -o default -F _sealtree sealtree
`;

const zsh = `#compdef sealtree
# zsh completion of sealtree; put it as _sealtree into a folder of fpath, or: source <(sealtree completion zsh)
_sealtree() {
  local -a found open
  found=("\${(@f)$(sealtree __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=(\${found:#})
  open=(\${(M)found:#*/})
  found=(\${found:#*/})
  (( \${#open} )) && compadd -S '' -- "\${open[@]}"
  (( \${#found} )) && compadd -- "\${found[@]}"
  (( \${#open} + \${#found} )) || _files
}
if [[ \${funcstack[1]} == _sealtree ]]; then
  _sealtree "$@"
else
  compdef _sealtree sealtree
fi
`;

const fish = `# fish completion of sealtree; put it into ~/.config/fish/completions/sealtree.fish
function __sealtree_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    sealtree __complete -- $words[2..-1] (commandline --current-token --cut-at-cursor) 2>/dev/null
end
function __sealtree_has_candidates
    test (count (__sealtree_complete)) -gt 0
end
complete --command sealtree --condition __sealtree_has_candidates --no-files --arguments '(__sealtree_complete)'
`;

/** The script that a shell loads. It asks the hidden command __complete, which needs no key. */
export const completionScripts: Readonly<Record<CompletionShell, string>> = { bash, zsh, fish };
