# Before the shell blocks of README.md, each of whose lines has the number that it has there. Stops at
# the first command that fails, and says at which line.
set -eEuo pipefail
trap 'echo "README.md:$LINENO: $BASH_COMMAND" >&2' ERR

# curl, which fails where the answer is not what README.md says in a comment behind the command: a
# status, with the words of a refusal, or a body. Where it says nothing, the answer is 2xx.
curl() {
  local said arguments=() answer status
  said=$(sed -n "${BASH_LINENO[0]}s/.* # //p" "$README")
  while [ $# -gt 0 ]; do
    # Not every machine has a curl that knows `--json`.
    if [ "$1" = --json ]; then
      arguments+=(--header 'content-type: application/json' --data "$2")
      shift
    else
      arguments+=("$1")
    fi
    shift
  done
  answer=$(command curl --silent --show-error --write-out '\n%{http_code}' "${arguments[@]}")
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  printf '%s\n' "$answer"
  if ! is_as_said "$said" "$status" "$answer"; then
    echo "README.md:${BASH_LINENO[0]}: status $status, where it says ${said:-nothing}: $answer" >&2
    return 1
  fi
}

is_as_said() {
  case $1 in
  [45][0-9][0-9]\ *) [ "$2" = "${1%% *}" ] && [[ $3 == *"${1#* }"* ]] ;;
  '{'*) [ "$2" = 200 ] && [ "$3" = "$1" ] ;;
  *) [[ $2 == 2* ]] ;;
  esac
}
