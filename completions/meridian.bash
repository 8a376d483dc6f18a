# Completion for meridiand, meridianctl and meridian-sim in bash.
# shellcheck shell=bash

# Completes the value of an option: a file, one of a few names, or nothing where only the user knows.
# Usage: _meridian_value OPTION WORD. Fails if the option takes no value.
_meridian_value() {
  case $1 in
    --config | --credentials | --output | --replay | --socket | --tls-ca)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$2")
      ;;
    --log-level)
      mapfile -t COMPREPLY < <(compgen -W 'trace debug info warning error critical off' -- "$2")
      ;;
    --format)
      mapfile -t COMPREPLY < <(compgen -W 'table ndjson binary' -- "$2")
      ;;
    --sort)
      mapfile -t COMPREPLY < <(compgen -W 'satellite channel state age rate frames octets gaps missing
        duplicates late resets dropped id peer listener connected' -- "$2")
      ;;
    --print-reference)
      mapfile -t COMPREPLY < <(compgen -W 'configuration.md configuration.man configuration.schema.json meridiand.json
        control-methods.md control-methods.man control-errors.man control.openrpc.json metrics.md reasons.md
        reasons.man' -- "$2")
      ;;
    --framing)
      mapfile -t COMPREPLY < <(compgen -W 'length_prefixed ccsds_space_packet' -- "$2")
      ;;
    --max | --lease-s | --satellite | --channel | --interval | --count | --replicas | --duplicate-window-s | \
      --max-bytes | --max-age-s | --connect | --uplinks | --frames | --rate | --payload-bytes | --duration | --seed | \
      --server | --stream | --durable | --subject | --expect | --idle-timeout) ;;
    *) return 1 ;;
  esac
}

# Completes the value if the word to complete is one. Bash makes three words of --option=value.
_meridian_after_option() {
  local word=${COMP_WORDS[COMP_CWORD]} before=$((COMP_CWORD - 1))
  if [[ $word == = ]]; then
    word=
  elif [[ ${COMP_WORDS[before]} == = ]]; then
    before=$((before - 1))
  fi
  ((before > 0)) && _meridian_value "${COMP_WORDS[before]}" "$word"
}

# The command among the words before the one to complete, or with N the Nth of such words; nothing where
# there is none. Usage: _meridian_command [N].
_meridian_command() {
  local i left=${1:-1} COMPREPLY
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      -*)
        if _meridian_value "${COMP_WORDS[i]}" ''; then
          [[ ${COMP_WORDS[i + 1]} == = ]] && i=$((i + 1))
          i=$((i + 1))
        fi
        ;;
      *)
        if ((--left == 0)); then
          printf '%s\n' "${COMP_WORDS[i]}"
          return
        fi
        ;;
    esac
  done
}

_meridian_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_meridiand() {
  COMPREPLY=()
  _meridian_after_option || _meridian_words '--config --check-config --log-level --print-reference --version -h --help'
}

_meridianctl() {
  COMPREPLY=()
  _meridian_after_option && return
  local options='--socket --json --version -h --help'
  case $(_meridian_command) in
    '')
      if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _meridian_words "$options"
      else
        _meridian_words 'depth drain flush forget health log-level reload satellites sink sinks stats tail
          top uplinks version'
      fi
      ;;
    drain) _meridian_words "--max --all --lease --no-lease --lease-s --satellite --format --output --append --force $options" ;;
    sink)
      if [[ $(_meridian_command 2) == create ]]; then
        _meridian_words "--config --replicas --duplicate-window-s --max-bytes --max-age-s $options"
      elif [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _meridian_words "$options"
      else
        _meridian_words 'create'
      fi
      ;;
    top) _meridian_words "--interval --sort --count $options" ;;
    tail) _meridian_words "--satellite --channel --max --format --output --append --force $options" ;;
    log-level)
      if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _meridian_words "$options"
      else
        _meridian_words 'trace debug info warning error critical off'
      fi
      ;;
    *) _meridian_words "$options" ;;
  esac
}

_meridian_sim() {
  COMPREPLY=()
  _meridian_after_option && return
  case $(_meridian_command) in
    '')
      if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _meridian_words '--connect --uplinks --frames --rate --payload-bytes
          --duration --replay --framing --seed --json --version -h --help'
      else
        _meridian_words 'consume'
      fi
      ;;
    *)
      _meridian_words '--server --credentials --tls-ca --stream --durable --subject --expect
        --idle-timeout --output --append --force --json -h --help'
      ;;
  esac
}

complete -F _meridiand meridiand
complete -F _meridianctl meridianctl
complete -F _meridian_sim meridian-sim
