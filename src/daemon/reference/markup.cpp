#include "daemon/reference/markup.hpp"

#include <vector>

namespace meridian::daemon {

namespace {

constexpr std::size_t man_width = 78;

bool closes(char letter) {
  return std::string_view(".,:;)!?").find(letter) != std::string_view::npos;
}

/// Writes prose in lines. Each sentence begins a new line, and long ones are wrapped.
class ProseLines {
 public:
  void add(std::string_view word) {
    if (!line_.empty() && line_.size() + 1 + word.size() > man_width) {
      end_line();
    }
    // A word that begins like a request of mdoc is still text.
    if (line_.empty() && (word.starts_with('.') || word.starts_with('\''))) {
      line_ = "\\&";
    }
    line_ += (line_.empty() || line_ == "\\&" ? "" : " ") + mdoc_word(word);
    if (word.ends_with('.') || word.ends_with('!') || word.ends_with('?')) {
      end_line();
    }
  }
  void add_macro(std::string_view line) {
    end_line();
    text_ += line;
    text_ += '\n';
  }
  [[nodiscard]] std::string text() && {
    end_line();
    return std::move(text_);
  }

 private:
  void end_line() {
    if (!line_.empty()) {
      text_ += line_ + '\n';
      line_.clear();
    }
  }

  std::string text_;
  std::string line_;
};

/// The words of a text. A piece of code is one word, with the punctuation that touches it.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t begin = 0;
  bool in_code = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ' ' && !in_code)) {
      if (i > begin) {
        words.push_back(text.substr(begin, i - begin));
      }
      begin = i + 1;
    } else if (text[i] == '`') {
      in_code = !in_code;
    }
  }
  return words;
}

/// "(`code`)," becomes ".Li ( code ) ,".
std::string code_macro(std::string_view word) {
  const std::size_t begin = word.find('`');
  const std::size_t end = word.find('`', begin + 1);
  std::string line = ".Li";
  for (const char letter : word.substr(0, begin)) {
    line += std::string(" ") + letter;
  }
  line += ' ' + mdoc_word(word.substr(begin + 1, end - begin - 1));
  std::string_view rest = word.substr(end + 1);
  while (!rest.empty() && closes(rest.front())) {
    line += std::string(" ") + rest.front();
    rest.remove_prefix(1);
  }
  if (!rest.empty()) {
    line += " Ns " + mdoc_word(rest);
  }
  return line;
}

}  // namespace

std::string plain(std::string_view text) {
  std::string without;
  for (const char letter : text) {
    if (letter != '`') {
      without += letter;
    }
  }
  return without;
}

std::string cell(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    escaped += letter == '|' ? "\\|" : std::string(1, letter);
  }
  return escaped;
}

std::string wrapped(std::string_view text, std::string_view prefix, std::size_t width) {
  std::string lines;
  std::string line(prefix);
  for (const std::string_view word : words_of(text)) {
    if (line.size() > prefix.size() && line.size() + 1 + word.size() > width) {
      lines += line + '\n';
      line = prefix;
    }
    line += (line.size() > prefix.size() ? " " : "") + std::string(word);
  }
  return lines + line + '\n';
}

std::string mdoc_word(std::string_view word) {
  std::string escaped;
  for (const char letter : word) {
    if (letter == '\\') {
      escaped += "\\e";
    } else if (letter == '"') {
      escaped += "\\(dq";
    } else {
      escaped += letter;
    }
  }
  // The oldest readers of man pages do not know the ellipsis.
  for (std::size_t at = escaped.find("…"); at != std::string::npos; at = escaped.find("…")) {
    escaped.replace(at, std::string_view("…").size(), "...");
  }
  return escaped;
}

std::string mdoc(std::string_view text) {
  ProseLines lines;
  for (const std::string_view word : words_of(text)) {
    if (word.find('`') != std::string_view::npos) {
      lines.add_macro(code_macro(word));
    } else {
      lines.add(word);
    }
  }
  return std::move(lines).text();
}

}  // namespace meridian::daemon
