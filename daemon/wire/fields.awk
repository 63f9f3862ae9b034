# What protobuf-c generates → an enum of the fields' numbers, which its headers do not have: FIELD_CAUSED_BY__SOURCE.
BEGIN { print "enum {" }
/__field_descriptors\[/ { sub(/__field_descriptors.*/, ""); sub(/.*__(v1|protobuf)__/, ""); message = toupper($0) }
/^    "/ { name = toupper($1); gsub(/[",]/, "", name); getline; print "    FIELD_" message "__" name " = " $1 }
END { print "};" }
